/**
 * Arithmetic of addresses and subnets, both families alike: an address is a number of 32 or 128 bits. Pure.
 */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** All addresses that agree with `base` in their first `prefix` bits. */
export interface Subnet {
  readonly family: 4 | 6;
  readonly base: bigint;
  readonly prefix: number;
}

const bits = (family: 4 | 6): number => (family === 4 ? 32 : 128);

/** Undefined for anything but a plain IPv4 or IPv6 address. */
export function parseAddress(text: string): Address | undefined {
  return text.includes(':') ? parse6(text) : parse4(text);
}

function parse4(text: string): Address | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1);
  // 010 is ten to some and eight to others.
  if (!parts?.every(part => Number(part) <= 255 && !/^0\d/.test(part))) return undefined;
  return { family: 4, value: parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
}

function parse6(text: string): Address | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map(half => (half === '' ? [] : half.split(':').flatMap(words4)));
  const zeros = 8 - head.length - tail.length;
  if (halves.length === 2 ? zeros < 1 : zeros !== 0) return undefined;
  const words = [...head, ...Array.from({ length: zeros }, () => '0'), ...tail];
  if (!words.every(word => /^[0-9a-fA-F]{1,4}$/.test(word))) return undefined;
  return { family: 6, value: words.reduce((sum, word) => sum * 65536n + BigInt(`0x${word}`), 0n) };
}

/** The last word may be an IPv4 address: two words. */
function words4(word: string): string[] {
  const four = word.includes('.') ? parse4(word) : undefined;
  if (!four) return [word];
  return [(four.value >> 16n).toString(16), (four.value & 0xffffn).toString(16)];
}

/** RFC 5952: lower case, the longest run of zeros as `::`. */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map(shift => String((value >> shift) & 255n)).join('.');
  const words = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  const text = words.join(':');
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map(match => match[0]);
  const longest = runs.reduce((best, run) => (words4Count(run) > words4Count(best) ? run : best), '');
  if (longest === '') return text;
  const at = text.indexOf(longest);
  return `${text.slice(0, at)}::${text.slice(at + longest.length).replace(/^:/, '')}`;
}

const words4Count = (run: string): number => (run.match(/0/g) ?? []).length;

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
