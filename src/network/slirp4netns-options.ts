import { TsboxError } from '../errors.ts';
import { familyOf } from '../util/address.ts';
import { suggest } from '../util/suggest.ts';

/** `slirp4netns:key=value,…` with defaults filled in. */
export interface SlirpOptions {
  /** Bytes, 576 to 65520. Default 65520: one packet carries much, which is where the speed of this driver is. */
  readonly mtu: number;
  readonly cidr: string;
  readonly ipv6: boolean;
  /** Address or interface of the machine that outgoing connections use. */
  readonly outbound: string | undefined;
  readonly outbound6: string | undefined;
  /** True: the gateway's address reaches the machine's 127.0.0.1. Default false. */
  readonly hostLoopback: boolean;
  /** Who forwards published ports. Default `builtin`; slirp4netns' own keeps the client's address and is slower. */
  readonly portHandler: 'builtin' | 'slirp4netns';
  /** Take a slirp4netns or libslirp with known memory errors. Default false. */
  readonly force: boolean;
}

export const DEFAULT_CIDR = '10.0.2.0/24';

const KEYS = [
  'mtu',
  'cidr',
  'enable_ipv6',
  'outbound_addr',
  'outbound_addr6',
  'allow_host_loopback',
  'port_handler',
  'force',
] as const;
type Key = (typeof KEYS)[number];

/** Checks and types the options. Throws USAGE that names the key. */
export function parseSlirpOptions(options: Readonly<Record<string, string>>): SlirpOptions {
  for (const key of Object.keys(options)) if (!(KEYS as readonly string[]).includes(key)) unknown(key);
  const get = <T>(key: Key, parse: (text: string) => T | undefined, what: string): T | undefined => {
    const text = options[key];
    return text === undefined ? undefined : (parse(text) ?? bad(key, text, what));
  };
  return {
    mtu: get('mtu', mtu, 'a number from 576 to 65520') ?? 65520,
    cidr: get('cidr', cidr, 'an IPv4 network with a prefix from /8 to /25') ?? DEFAULT_CIDR,
    ipv6: get('enable_ipv6', flag, 'true or false') ?? false,
    outbound: get('outbound_addr', outbound(4), 'an IPv4 address or an interface'),
    outbound6: get('outbound_addr6', outbound(6), 'an IPv6 address or an interface'),
    hostLoopback: get('allow_host_loopback', flag, 'true or false') ?? false,
    portHandler: get('port_handler', handler, 'builtin or slirp4netns') ?? 'builtin',
    force: get('force', flag, 'true or false') ?? false,
  };
}

/** An address of the network: 0 is its own, slirp4netns gives the gateway number 2, DNS 3 and the container 100. */
export function networkAddress(network: string, number: 0 | 2 | 3 | 100): string {
  const [base = '', prefix = '24'] = network.split('/');
  const bits = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(prefix));
  const address = bits - (bits % size) + number;
  return [24, 16, 8, 0].map(shift => Math.floor(address / 2 ** shift) % 256).join('.');
}

function mtu(text: string): number | undefined {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return value >= 576 && value <= 65520 ? value : undefined;
}

function cidr(text: string): string | undefined {
  const [base = '', prefix = '', ...rest] = text.split('/');
  const length = /^\d{1,2}$/.test(prefix) ? Number(prefix) : 0;
  return rest.length === 0 && familyOf(base) === 4 && length >= 8 && length <= 25 ? text : undefined;
}

const flag = (text: string): boolean | undefined => ({ true: true, false: false })[text];

/** podman's word for its own is rootlesskit. */
const handler = (text: string): 'builtin' | 'slirp4netns' | undefined =>
  ({ builtin: 'builtin', rootlesskit: 'builtin', slirp4netns: 'slirp4netns' })[text] as 'builtin' | undefined;

/** Interface names: no slash or white space, at most 15 bytes (IFNAMSIZ); no leading dash, it goes into an argument list. */
const outbound = (family: 4 | 6) => (text: string) =>
  familyOf(text) === family || /^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}$/.test(text) ? text : undefined;

function bad(key: Key, text: string, what: string): never {
  throw new TsboxError('USAGE', `--network slirp4netns: ${key} must be ${what}, not ${JSON.stringify(text)}`);
}

function unknown(key: string): never {
  const near = suggest(key, KEYS);
  throw new TsboxError('USAGE', `--network slirp4netns: unknown option ${JSON.stringify(key)}`, {
    hint: near ? `did you mean ${near}?` : `options: ${KEYS.join(', ')}`,
  });
}
