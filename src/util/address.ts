/** Addresses of both families alike: a number of 32 or 128 bits. Pure; node:net takes 7 ms to load. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

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
  const halves = text.replace(/[^:]*\.[^:]*$/, words4).split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map(half => (half === '' ? [] : half.split(':')));
  const zeros = 8 - head.length - tail.length;
  if (halves.length === 2 ? zeros < 1 : zeros !== 0) return undefined;
  const words = [...head, ...Array.from({ length: zeros }, () => '0'), ...tail];
  if (!words.every(word => /^[0-9a-fA-F]{1,4}$/.test(word))) return undefined;
  return { family: 6, value: words.reduce((sum, word) => sum * 65536n + BigInt(`0x${word}`), 0n) };
}

/** The last word may be an IPv4 address: two words. */
function words4(word: string): string {
  const four = parse4(word);
  return four ? `${(four.value >> 16n).toString(16)}:${(four.value & 0xffffn).toString(16)}` : word;
}

/** 0: neither. As node:net's isIP, `fe80::1%eth0` is an IPv6 address. */
export function familyOf(text: string): 4 | 6 | 0 {
  const [address = '', zone, ...more] = text.split('%');
  const family = more.length === 0 && zone !== '' ? parseAddress(address)?.family : undefined;
  return family === undefined || (zone !== undefined && family === 4) ? 0 : family;
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
