import type { NetworkSummary } from './network-types.ts';

/** The names that docker always has, and what they mean here; none of them is kept in the store. */
const BUILTIN: Readonly<Record<string, string>> = { bridge: 'slirp4netns', host: 'host', none: 'null' };
const WORDS = [...Object.keys(BUILTIN), 'default', 'auto', 'private', 'slirp4netns', 'pasta', 'container'];

export const isBuiltinNetwork = (name: string): boolean => WORDS.includes(name);

/** Ids of their own, the same everywhere: tools ask for them. */
export function builtinNetworks(): NetworkSummary[] {
  return Object.entries(BUILTIN).map(([name, driver]) => ({
    id: Buffer.from(`tsbox network ${name}`.padEnd(32)).toString('hex'),
    name,
    driver,
    created: '1970-01-01T00:00:00Z',
    internal: false,
    ipv6: false,
    labels: {},
    builtin: true,
  }));
}
