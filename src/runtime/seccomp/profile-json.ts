import { TsboxError } from '../../errors.ts';

/** Reads members of a parsed JSON document; errors say where: `syscalls[3].args[0].op`. */
export class Member {
  readonly value: unknown;
  readonly path: string;

  constructor(value: unknown, path = '') {
    this.value = value;
    this.path = path;
  }

  /** A member of this object; absent ones and null have no value. */
  get(name: string): Member {
    const child = this.#object()[name];
    return new Member(child ?? undefined, this.path ? `${this.path}.${name}` : name);
  }

  get absent(): boolean {
    return this.value === undefined;
  }

  /** The elements of this array; none when absent. */
  list(): Member[] {
    if (this.absent) return [];
    if (!Array.isArray(this.value)) throw this.bad('must be a list');
    return this.value.map((element, i) => new Member(element, `${this.path}[${i}]`));
  }

  text(): string {
    return typeof this.value === 'string' ? this.value : this.#wrong('must be a string');
  }

  texts(): string[] {
    return this.list().map(m => m.text());
  }

  /** A whole number from 0 to `max`; `otherwise` when absent. */
  number(max: number, otherwise?: number): number {
    if (this.absent && otherwise !== undefined) return otherwise;
    const n = this.value;
    if (typeof n === 'number' && Number.isInteger(n) && n >= 0 && n <= max) return n;
    return this.#wrong(`must be a whole number from 0 to ${max}`);
  }

  /** An unsigned 64-bit number; 0 when absent. Numbers that a double cannot hold exactly arrive as strings (parseBig). */
  big(): bigint {
    if (this.absent) return 0n;
    const exact = typeof this.value === 'string' && /^\d{1,20}$/.test(this.value);
    if (!exact && !Number.isInteger(this.value)) return this.#wrong('must be a whole number');
    const n = BigInt(this.value as string | number);
    if (n < 0n || n >= 1n << 64n) return this.#wrong('must be a number from 0 to 2^64-1');
    return n;
  }

  /** One of the keys of a table. */
  choice<T>(table: Readonly<Record<string, T>>, what: string): T {
    const key = this.text();
    const found = Object.hasOwn(table, key) ? table[key] : undefined;
    return found ?? this.#wrong(`${JSON.stringify(key)} is not ${what} that tsbox knows`);
  }

  bad(why: string): TsboxError {
    return badProfile(this.path === '' ? 'the profile' : this.path, why);
  }

  #object(): Readonly<Record<string, unknown>> {
    if (typeof this.value === 'object' && this.value !== null && !Array.isArray(this.value)) {
      return this.value as Record<string, unknown>;
    }
    return this.#wrong('must be an object');
  }

  #wrong(why: string): never {
    throw this.absent ? this.bad('is missing') : this.bad(why);
  }
}

/** Parses JSON; `value` and `valueTwo` that are not exact as a double are kept as their digits. */
export function parseProfileJson(json: string): Member {
  const exact = json.replace(/("value(?:Two)?"\s*:\s*)(\d{16,20})(?=\s*[,}])/g, '$1"$2"');
  try {
    return new Member(JSON.parse(exact));
  } catch (cause) {
    throw badProfile('the profile', `is not JSON: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
}

const badProfile = (path: string, why: string, cause?: unknown): TsboxError =>
  new TsboxError('USAGE', `seccomp profile: ${path} ${why}`, {
    hint: "the format is docker's: defaultAction, archMap, syscalls[] with names, action, args",
    ...(cause !== undefined && { cause }),
  });
