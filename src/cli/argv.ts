import { TsboxError } from '../errors.ts';
import { suggest } from '../util/suggest.ts';
import type { OptionMeta } from './options.ts';

/**
 * docker's spellings, read the way docker's flag library (pflag) reads them. Pure. clipanion alone cannot: it refuses a
 * value that begins with `-`, `-p80:80`, `--ip6=x`, and takes `-itv /a:/b` for three switches. So the words are scanned
 * here, and clipanion's options take their values from what was found (parse.ts).
 */
export interface Grammar {
  readonly options: readonly OptionMeta[];
  /** After this many operands the rest is taken literally: the container's own command. Default: never. */
  readonly operandsBeforeRest?: number;
  /** For hints: `tsbox run`. */
  readonly usage: string;
}

export interface Scanned {
  /** In the order given, by their longest name. */
  readonly options: readonly ScannedOption[];
  readonly operands: readonly string[];
  readonly help: boolean;
}

export interface ScannedOption {
  readonly name: string;
  readonly value: string | boolean;
}

/** A flag that the command does not have. */
export class UnknownFlag extends TsboxError {
  readonly flag: string;
  /** `word` is what the user typed: `-z` may stand in `-itz`. */
  constructor(flag: string, word: string, hint: string) {
    super('USAGE', `unknown flag ${flag}${word === flag ? '' : ` in ${word}`}`, { hint });
    this.flag = flag;
  }
}

const HELP: OptionMeta = { names: ['--help'], description: 'Show this help' };
const HELP_SHORT: OptionMeta = { names: ['-h', '--help'], description: 'Show this help' };

export const longest = (names: readonly string[]): string =>
  names.reduce((best, name) => (name.length > best.length ? name : best), '');

class Scanner {
  readonly #table = new Map<string, OptionMeta>();
  readonly #options: ScannedOption[] = [];
  readonly #operands: string[] = [];
  readonly #grammar: Grammar;
  readonly #rest: string[];
  #help = false;

  constructor(argv: readonly string[], grammar: Grammar) {
    this.#rest = [...argv];
    this.#grammar = grammar;
    for (const meta of grammar.options) for (const name of meta.names) this.#table.set(name, meta);
    const help = this.#table.has('-h') ? HELP : HELP_SHORT;
    for (const name of help.names) this.#table.set(name, help);
  }

  scan(): Scanned {
    const limit = this.#grammar.operandsBeforeRest ?? Number.POSITIVE_INFINITY;
    for (let word = this.#rest.shift(); word !== undefined; word = this.#rest.shift()) {
      if (word === '--') break;
      if (word.startsWith('--')) this.#long(word);
      else if (word.startsWith('-') && word !== '-') this.#short(word);
      else this.#operands.push(word);
      if (this.#operands.length >= limit) break;
    }
    this.#operands.push(...this.#rest);
    return { options: this.#options, operands: this.#operands, help: this.#help };
  }

  #long(word: string): void {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const meta = this.#find(name);
    if (equals >= 0) this.#take(meta, name, word.slice(equals + 1));
    else if (meta.value === undefined) this.#take(meta, name, undefined);
    else this.#take(meta, name, this.#next(name));
  }

  /** `-it`, `-p80:80`, `-e=X`, `-itv /a:/b`. */
  #short(word: string): void {
    for (let i = 1; i < word.length; i++) {
      const name = `-${word[i]}`;
      const meta = this.#find(name, word);
      const after = word.slice(i + 1);
      const valued = meta.value !== undefined || after.startsWith('=');
      if (after.startsWith('=')) this.#take(meta, name, after.slice(1));
      else this.#take(meta, name, valued ? after || this.#next(name) : undefined);
      if (valued) return;
    }
  }

  #next(name: string): string {
    const value = this.#rest.shift();
    if (value === undefined) throw this.#error(`flag ${name} needs a value`);
    return value;
  }

  #take(meta: OptionMeta, name: string, value: string | undefined): void {
    if (meta.value !== undefined) {
      this.#options.push({ name: longest(meta.names), value: value ?? '' });
      return;
    }
    const on = value === undefined ? true : parseBoolean(value);
    if (on === undefined) throw this.#error(`flag ${name} takes true or false, not '${value}'`);
    if (meta === HELP || meta === HELP_SHORT) this.#help = on;
    else this.#options.push({ name: longest(meta.names), value: on });
  }

  #find(name: string, word = name): OptionMeta {
    const meta = this.#table.get(name);
    if (meta) return meta;
    const close = suggest(
      name,
      [...this.#table.keys()].filter(key => key.length > 2),
    );
    const guess = close !== undefined && name.length > 2 ? `did you mean ${close}? ` : '';
    throw new UnknownFlag(name, word, guess + this.#seeHelp());
  }

  #seeHelp(): string {
    return `'${this.#grammar.usage} --help' lists the flags`;
  }

  #error(message: string): TsboxError {
    return new TsboxError('USAGE', message, { hint: this.#seeHelp() });
  }
}

/** Go's strconv.ParseBool. */
export function parseBoolean(word: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(word)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(word)) return false;
  return undefined;
}

/** Splits argv into options and operands. Throws TsboxError USAGE (UnknownFlag for a flag that is not there). */
export function scan(argv: readonly string[], grammar: Grammar): Scanned {
  return new Scanner(argv, grammar).scan();
}
