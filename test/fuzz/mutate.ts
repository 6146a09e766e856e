/** A source of chance that can be repeated: the same seed, the same inputs. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to n - 1 (mulberry32). */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }

  of<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }
}

const BYTES = [0, 1, 0x20, 0x2e, 0x2f, 0x30, 0x37, 0x39, 0x3d, 0x5c, 0x7f, 0x80, 0xff];
const NUMBERS = ['-1', '0', '1', '07', '4294967295', '9007199254740993', '1e400', '99999999999999999999'];

/** Changes an input in one to eight places: bytes, stretches, words of the format, pieces of another input. */
export function mutate(
  input: Buffer,
  other: Buffer,
  words: readonly string[],
  chance: Chance,
  limit: number,
): Buffer {
  let bytes = input;
  for (let left = 1 + chance.below(8); left > 0; left--) bytes = change(bytes, other, words, chance);
  return bytes.subarray(0, limit);
}

function change(bytes: Buffer, other: Buffer, words: readonly string[], chance: Chance): Buffer {
  const at = chance.below(bytes.length + 1);
  const length = 1 + chance.below(Math.min(64, bytes.length + 1));
  const from = chance.below(other.length + 1);
  switch (chance.below(9)) {
    case 0:
      return splice(bytes, at, 1, Buffer.from([chance.below(256)]));
    case 1:
      return splice(bytes, at, 1, Buffer.from([chance.of(BYTES) ?? 0]));
    case 2:
      return splice(bytes, at, 1, Buffer.from([(bytes[at] ?? 0) ^ (1 << chance.below(8))]));
    case 3:
      return splice(bytes, at, length, Buffer.alloc(0));
    case 4:
      return splice(bytes, chance.below(bytes.length + 1), 0, bytes.subarray(at, at + length));
    case 5:
      return splice(bytes, at, chance.below(2) * length, other.subarray(from, from + length));
    case 6:
      return splice(bytes, at, chance.below(2) * length, Buffer.from(chance.of(NUMBERS) ?? ''));
    case 7:
      return splice(bytes, at, 0, Buffer.alloc(length * 4, bytes[at] ?? 0x5b));
    default:
      return splice(bytes, at, chance.below(2) * length, Buffer.from(chance.of(words) ?? '', 'latin1'));
  }
}

function splice(bytes: Buffer, at: number, remove: number, insert: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
}
