import { TsboxError } from '../errors.ts';
import { removeAffix, replaceMatches } from './variables-pattern.ts';

/** Values of variables by name. */
export type Variables = ReadonlyMap<string, string>;

interface Rules {
  readonly variables: Variables;
  readonly escapeChar: string;
  /** Quotes are characters like any other: the content of a heredoc. */
  readonly literalQuotes: boolean;
  /** Called for each variable that has no value. */
  readonly onUnset: ((name: string) => void) | undefined;
}

/** A word after expansion. */
interface Expanded {
  readonly text: string;
  /** Split at blanks that neither quotes nor escapes protect, those of values too. */
  readonly words: readonly string[];
}

export interface ExpandOptions {
  readonly escapeChar?: string;
  readonly literalQuotes?: boolean;
  readonly onUnset?: (name: string) => void;
}

/**
 * One word as docker's builder reads it: quotes and escapes go, `$x`, `${x:-y}` and the others become values (docker's reference:
 * Environment replacement). Throws DOCKERFILE without a place.
 */
export const expandWord = (word: string, variables: Variables, options: ExpandOptions = {}): string =>
  new Expander(word, rulesOf(variables, options)).all().text;

/** The same for a line of several words. */
export const expandWords = (
  word: string,
  variables: Variables,
  options: ExpandOptions = {},
): readonly string[] => new Expander(word, rulesOf(variables, options)).all().words;

const rulesOf = (variables: Variables, options: ExpandOptions): Rules => ({
  variables,
  escapeChar: options.escapeChar ?? '\\',
  literalQuotes: options.literalQuotes ?? false,
  onUnset: options.onUnset,
});

/** Deeper nests of `${a:-${b:-…}}` are an attack on the stack. */
const MAX_DEPTH = 100;

/** Reads from left to right; nested words (`${x:-"$y"}`) are read by the same rules. */
class Expander {
  readonly #text: string;
  readonly #rules: Rules;
  #at = 0;
  #depth = 0;

  constructor(text: string, rules: Rules) {
    this.#text = text;
    this.#rules = rules;
  }

  all(): Expanded {
    return this.#until('', false);
  }

  /** Up to `stop` (which is taken too) or, when that is empty, the end. `rawEscapes`: escapes stay, for patterns. */
  #until(stop: string, rawEscapes: boolean): Expanded {
    const out = new Pieces();
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] ?? '';
      if (stop !== '' && char === stop) {
        this.#at++;
        return out.done();
      }
      if (char === '$') out.blanks(this.#dollar());
      else if (char === "'" && !this.#rules.literalQuotes) out.raw(this.#single());
      else if (char === '"' && !this.#rules.literalQuotes) out.raw(this.#double(rawEscapes));
      else if (char === this.#rules.escapeChar) this.#escaped(out, rawEscapes);
      else {
        this.#at++;
        out.blanks(char);
      }
    }
    if (stop !== '') throw bad(`${JSON.stringify(stop)} is missing`);
    return out.done();
  }

  #escaped(out: Pieces, rawEscapes: boolean): void {
    if (rawEscapes) out.raw(this.#rules.escapeChar);
    const next = String.fromCodePoint(this.#text.codePointAt(this.#at + 1) ?? 0);
    const isEnd = this.#at + 1 >= this.#text.length;
    this.#at += isEnd ? 1 : 1 + next.length;
    if (!isEnd) out.raw(next);
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw bad("a quote (') is not closed");
    const text = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return text;
  }

  /** An escape means something before `"`, `$` and itself only. */
  #double(rawEscapes: boolean): string {
    const { escapeChar } = this.#rules;
    let out = '';
    this.#at++;
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] ?? '';
      if (char === '"') {
        this.#at++;
        return out;
      }
      if (char === '$') out += this.#dollar();
      else {
        this.#at++;
        const next = this.#text[this.#at];
        const isEscape = char === escapeChar && (next === '"' || next === '$' || next === escapeChar);
        if (isEscape) this.#at++;
        if (isEscape && rawEscapes) out += char;
        out += isEscape ? next : char;
      }
    }
    throw bad('a quote (") is not closed');
  }

  #dollar(): string {
    this.#at++;
    if (this.#text[this.#at] !== '{') {
      const name = this.#name();
      return name === '' ? '$' : (this.#value(name) ?? '');
    }
    if (++this.#depth > MAX_DEPTH) throw bad('variables are nested too deep');
    this.#at++;
    const name = this.#name();
    if (name === '')
      throw bad(`${JSON.stringify(this.#text.slice(this.#at - 2, this.#at + 10))} is no variable`);
    const value = this.#braced(name);
    this.#depth--;
    return value;
  }

  #braced(name: string): string {
    const operator = this.#text[this.#at++];
    if (operator === '}') return this.#value(name) ?? '';
    if (operator === undefined) throw bad(`"}" is missing after \${${name}`);
    if (operator === '/') return this.#replace(name);
    const isColon = operator === ':';
    const sign = isColon ? (this.#text[this.#at++] ?? '') : operator;
    if (!/^[-+?]$/.test(sign) && (isColon || !/^[#%]$/.test(sign)))
      throw bad(`\${${name}${isColon ? ':' : ''}${sign}…} is not a form of a variable`);
    const word = this.#until('}', sign === '#' || sign === '%').text;
    return this.#apply(name, sign, isColon, word);
  }

  #apply(name: string, sign: string, isColon: boolean, word: string): string {
    const value = sign === '-' || sign === '+' ? this.#rules.variables.get(name) : this.#value(name);
    const isSet = value !== undefined && !(isColon && value === '');
    if (sign === '-') return isSet ? value : word;
    if (sign === '+') return isSet ? word : '';
    if (sign === '?') {
      if (isSet) return value;
      throw bad(`${name}: ${word === '' ? `must ${value === undefined ? 'be set' : 'not be empty'}` : word}`);
    }
    const greedy = word.startsWith(sign);
    return removeAffix(
      value ?? '',
      greedy ? word.slice(1) : word,
      sign === '#' ? 'prefix' : 'suffix',
      greedy,
    );
  }

  #replace(name: string): string {
    const all = this.#text[this.#at] === '/';
    if (all) this.#at++;
    const pattern = this.#until('/', true).text;
    const replacement = this.#until('}', true).text.replace(/\\([/}])/g, '$1');
    return replaceMatches(this.#value(name) ?? '', pattern, replacement, all);
  }

  #name(): string {
    const match = /[A-Za-z_\p{L}][\p{L}\p{Nd}_]*|[0-9]+|[@*#?$!-]/uy;
    match.lastIndex = this.#at;
    const [name = ''] = match.exec(this.#text) ?? [];
    this.#at += name.length;
    return name;
  }

  #value(name: string): string | undefined {
    const value = this.#rules.variables.get(name);
    if (value === undefined) this.#rules.onUnset?.(name);
    return value;
  }
}

/** The text and, beside it, its words. */
class Pieces {
  readonly #text: string[] = [];
  readonly #words: string[] = [];
  #word = '';

  raw(text: string): void {
    this.#text.push(text);
    this.#word += text;
  }

  /** Blanks in it end a word. */
  blanks(text: string): void {
    this.#text.push(text);
    for (const part of text.split(/(\s)/)) {
      if (!/^\s$/.test(part)) this.#word += part;
      else this.#end();
    }
  }

  done(): Expanded {
    this.#end();
    return { text: this.#text.join(''), words: this.#words };
  }

  #end(): void {
    if (this.#word !== '') this.#words.push(this.#word);
    this.#word = '';
  }
}

const bad = (message: string): TsboxError => new TsboxError('DOCKERFILE', message);
