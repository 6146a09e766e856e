import { readFileSync } from 'node:fs';

/** What a resolv.conf says (resolv.conf(5)). */
export interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** systemd-resolved writes the servers it asks itself there; /etc/resolv.conf then names only its stub on loopback. */
const RESOLVED = '/run/systemd/resolve/resolv.conf';

/**
 * The machine's resolv.conf; of a machine that resolves through a stub on loopback (127.0.0.53) the real servers, where
 * systemd-resolved tells them. Missing files are empty ones. The paths are parameters for tests.
 */
export function readHostResolv(path = '/etc/resolv.conf', resolved = RESOLVED): ResolvConf {
  const host = parseResolv(readText(path));
  if (!host.nameservers.includes('127.0.0.53')) return host;
  const real = parseResolv(readText(resolved));
  return real.nameservers.length > 0 ? { ...host, nameservers: real.nameservers } : host;
}

/** Keywords it does not know, and what follows `#` or `;`, are left out. The last `search` or `domain` line counts. */
export function parseResolv(text: string): ResolvConf {
  const nameservers: string[] = [];
  const options: string[] = [];
  let search: string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/(^|\s)[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && values[0]) nameservers.push(values[0]);
    else if (keyword === 'search' || keyword === 'domain') search = values;
    else if (keyword === 'options') options.push(...values);
  }
  return { nameservers, search, options };
}

/** True for an address that means another machine inside a network namespace of its own: 127.0.0.0/8 and ::1. */
export const isLoopback = (address: string): boolean => /^127\.|^::1(%|$)/.test(address);

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
