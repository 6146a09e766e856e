import { type Address, formatAddress, parseAddress } from '../util/address.ts';

/** Arithmetic of addresses and subnets, both families alike. Pure. All addresses that agree with `base` in their first `prefix` bits. */
export interface Subnet {
  readonly family: 4 | 6;
  readonly base: bigint;
  readonly prefix: number;
}

const bits = (family: 4 | 6): number => (family === 4 ? 32 : 128);

/** `address/prefix`; bits below the prefix are taken as zero. Undefined for anything else. */
export function parseSubnet(text: string): Subnet | undefined {
  const [, base, length] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = base === undefined ? undefined : parseAddress(base);
  const prefix = Number(length);
  if (!address || prefix > bits(address.family)) return undefined;
  return { family: address.family, base: address.value & maskOf(address.family, prefix), prefix };
}

export const formatSubnet = (s: Subnet): string =>
  `${formatAddress({ family: s.family, value: s.base })}/${s.prefix}`;

export function contains(subnet: Subnet, address: Address): boolean {
  return (
    subnet.family === address.family && (address.value & maskOf(subnet.family, subnet.prefix)) === subnet.base
  );
}

/** Does `outer` hold all of `inner`? */
export const holds = (outer: Subnet, inner: Subnet): boolean =>
  inner.prefix >= outer.prefix && contains(outer, { family: inner.family, value: inner.base });

export const overlap = (a: Subnet, b: Subnet): boolean => holds(a, b) || holds(b, a);

/** Number of addresses. */
export const sizeOf = (s: Subnet): bigint => 1n << BigInt(bits(s.family) - s.prefix);

/** First and last address that an interface may have: without the network's own and, for IPv4, the broadcast address. */
export function usable(s: Subnet): { readonly first: bigint; readonly last: bigint } {
  const end = s.base + sizeOf(s) - 1n;
  const wide = bits(s.family) - s.prefix >= 2;
  return { first: wide ? s.base + 1n : s.base, last: wide && s.family === 4 ? end - 1n : end };
}

/** The lowest address of `range` that is usable in `subnet` and not taken; undefined when there is none. */
export function firstFree(
  subnet: Subnet,
  range: Subnet,
  taken: (address: string) => boolean,
): string | undefined {
  const whole = usable(subnet);
  const [low, high] = [range.base, range.base + sizeOf(range) - 1n];
  const last = high < whole.last ? high : whole.last;
  for (let value = low > whole.first ? low : whole.first; value <= last; value++) {
    const address = formatAddress({ family: subnet.family, value });
    if (!taken(address)) return address;
  }
  return undefined;
}

function maskOf(family: 4 | 6, prefix: number): bigint {
  const size = BigInt(bits(family));
  return ((1n << size) - 1n) ^ ((1n << (size - BigInt(prefix))) - 1n);
}

/** docker's: sixteen-bit networks from 172.18 on, then pieces of 192.168. */
export function* defaultPools(): Generator<Subnet> {
  for (let i = 18n; i < 32n; i++) yield { family: 4, base: (172n << 24n) | (i << 16n), prefix: 16 };
  for (let i = 0n; i < 16n; i++)
    yield { family: 4, base: (192n << 24n) | (168n << 16n) | (i << 12n), prefix: 20 };
}

/** docker's rule for what has no address of hardware given: 02:42 and the IPv4 address. IPv6: its last four bytes. */
export function macOf(address: Address): string {
  const low = address.value & 0xffffffffn;
  const bytes = [24n, 16n, 8n, 0n].map(shift => ((low >> shift) & 255n).toString(16).padStart(2, '0'));
  return ['02', '42', ...bytes].join(':');
}
