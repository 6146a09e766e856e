import { Mistake, nearest } from './parse-mistake.ts';
import { type Word, wordEnd } from './parse-words.ts';

/** What a flag takes: a value, several of them when it may be repeated, or true and false. */
type FlagKind = 'text' | 'list' | 'switch';

export type FlagTable = Readonly<Record<string, FlagKind>>;

/** The flags of one instruction, as written. */
export class Flags {
  readonly #values: ReadonlyMap<string, readonly Word[]>;

  constructor(values: ReadonlyMap<string, readonly Word[]>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    return this.#values.get(name)?.[0]?.text;
  }

  list(name: string): readonly string[] {
    return this.#values.get(name)?.map(word => word.text) ?? [];
  }

  on(name: string): boolean | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : value === 'true';
  }

  /** The value with its place, for a message. */
  word(name: string): Word | undefined {
    return this.#values.get(name)?.[0];
  }
}

/** The `--words` at the beginning of an instruction's operands, and where what follows them begins. */
export function splitFlags(text: string, base: number, escapeChar: string): { flags: Word[]; rest: number } {
  const flags: Word[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text[at] ?? '')) at++;
    if (!text.startsWith('--', at)) return { flags, rest: at };
    const end = wordEnd(text, at, escapeChar);
    const word = text.slice(at, end);
    if (word === '--') return { flags, rest: end };
    flags.push({ text: unquoted(word, escapeChar), at: base + at });
    at = end;
  }
}

/** Flags lose their quotes at once, docker's way; escapes too. */
function unquoted(word: string, escapeChar: string): string {
  let [out, quote] = ['', ''];
  for (let i = 0; i < word.length; i++) {
    const char = word[i] ?? '';
    if (char === escapeChar && quote !== "'") out += word[++i] ?? '';
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (quote !== '' && char === quote) quote = '';
    else out += char;
  }
  return out;
}

/** Throws Mistake for an unknown flag, a repeated one, and a value that does not fit. */
export function readFlags(keyword: string, words: readonly Word[], table: FlagTable): Flags {
  const values = new Map<string, Word[]>();
  for (const word of words) {
    const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word.text) ?? [];
    const kind = Object.hasOwn(table, name) ? table[name] : undefined;
    const place = { from: word.at, to: word.at + 2 + name.length };
    if (kind === undefined) throw unknownFlag(keyword, name, table, place);
    const before = values.get(name);
    if (before && kind !== 'list') throw new Mistake(`--${name} is given twice`, place);
    const at = word.at + 3 + name.length;
    values.set(name, [...(before ?? []), { text: flagValue(name, value, kind, place), at }]);
  }
  return new Flags(values);
}

function flagValue(
  name: string,
  value: string | undefined,
  kind: FlagKind,
  place: { from: number; to: number },
): string {
  if (kind !== 'switch') {
    if (value === undefined) throw new Mistake(`--${name} needs a value: --${name}=…`, place);
    return value;
  }
  const word = (value ?? 'true').toLowerCase();
  if (word !== 'true' && word !== 'false')
    throw new Mistake(`--${name} is true or false, not ${JSON.stringify(value)}`, place);
  return word;
}

function unknownFlag(
  keyword: string,
  name: string,
  table: FlagTable,
  place: { from: number; to: number },
): Mistake {
  const names = Object.keys(table);
  const near = nearest(name, names);
  const which = names.length === 0 ? 'takes no flags' : `has no flag --${name}`;
  const suggestion = near === undefined ? undefined : `--${near}`;
  return new Mistake(`${keyword} ${which}`, { ...place, suggestion });
}
