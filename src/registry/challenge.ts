/** One challenge of a `WWW-Authenticate` header (RFC 9110, 11.6.1): scheme in lower case, parameter names too. */
export interface Challenge {
  readonly scheme: string;
  readonly params: Readonly<Record<string, string>>;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const SEPARATOR = /[ \t,]*/y;
const SPACE = /[ \t]+/y;
const EQUALS = /[ \t]*=[ \t]*/y;

/** All challenges in the order given. What cannot be read ends the list: a registry's nonsense is no reason to throw. */
export function parseChallenges(header: string): readonly Challenge[] {
  const scan = new Scanner(header.slice(0, 8192));
  const found: { scheme: string; params: Record<string, string> }[] = [];
  for (;;) {
    scan.take(SEPARATOR);
    const word = scan.take(TOKEN);
    if (word === undefined) return found;
    const value = scan.parameter();
    if (value === undefined) {
      found.push({ scheme: word.toLowerCase(), params: {} });
      scan.take(SPACE);
    } else {
      const last = found.at(-1);
      if (last === undefined) return found;
      Object.defineProperty(last.params, word.toLowerCase(), { value, enumerable: true, configurable: true });
    }
  }
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[1] ?? match[0];
  }

  /** `=value` or `="value"` after a name; undefined (and nothing taken) when the name is a scheme. */
  parameter(): string | undefined {
    const start = this.#at;
    if (this.take(EQUALS) !== undefined) {
      const quoted = this.take(QUOTED);
      if (quoted !== undefined) return quoted.replace(/\\(.)/g, '$1');
      const plain = this.take(TOKEN);
      if (plain !== undefined) return plain;
    }
    this.#at = start;
    return undefined;
  }
}
