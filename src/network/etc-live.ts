import type { Endpoint } from './networks.ts';

/** Who is asked for names: the gateways of the first network with a way out, since each answers for all networks of who asks. */
export function nameserversOf(
  endpoints: readonly {
    readonly network: { readonly internal: boolean };
    readonly gateways: Endpoint['gateways'];
  }[],
): readonly string[] {
  const open = endpoints.filter(endpoint => !endpoint.network.internal);
  return [...open, ...endpoints][0]?.gateways ?? [];
}

/**
 * /etc/hosts of a container that has got or lost addresses while it ran, as docker changes it: the lines of its own name alone. What was
 * written there since the start stays.
 */
export function changedHosts(
  text: string,
  change: { readonly names: string; readonly gone: readonly string[]; readonly added: readonly string[] },
): string {
  const own = (address: string): string => `${address}\t${change.names}`;
  const gone = new Set(change.gone.map(own));
  const kept = text.split('\n').filter(line => !gone.has(line));
  const lines = kept.at(-1) === '' ? kept.slice(0, -1) : kept;
  return [...lines, ...change.added.map(own)].map(line => `${line}\n`).join('');
}

/** /etc/resolv.conf with other servers, where it still has those that it began with: what was written there by hand stays. */
export function changedServers(text: string, before: readonly string[], after: readonly string[]): string {
  const lines = text.split('\n');
  const at = lines.flatMap((line, i) => (line.startsWith('nameserver ') ? [i] : []));
  const found = at.map(i => lines[i]?.slice('nameserver '.length));
  const first = at[0] ?? lines.findLastIndex(line => line !== '') + 1;
  if (found.length !== before.length || found.some((server, i) => server !== before[i])) return text;
  const rest = lines.filter((_, i) => !at.includes(i));
  return rest.toSpliced(first, 0, ...after.map(server => `nameserver ${server}`)).join('\n');
}
