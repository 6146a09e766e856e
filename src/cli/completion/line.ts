import { GLOBAL_OPTIONS } from '../globals.ts';
import type { OptionMeta } from '../options.ts';
import { optionsOf } from '../parse.ts';
import type { Tables } from './tables.ts';

/** A command line as far as it is typed. Nothing in it is an error: what is not understood is passed over. */
export interface Line {
  /** Global options with their values, `--root` → `/x`. */
  readonly globals: ReadonlyMap<string, string>;
  /** Canonical name of the verb, `volume create`; absent before it. */
  readonly verb?: string;
  /** What docker's alias adds (`inspect --type=image`). */
  readonly extra: readonly string[];
  /** A noun whose verb is yet to be typed. */
  readonly noun?: string;
  /** Options that may follow: the verb's, or the global ones. */
  readonly options: readonly OptionMeta[];
  readonly operands: readonly string[];
  /** The option whose value the next word is. */
  readonly pending?: OptionMeta;
  /** After `--`, or in a container's own command. */
  readonly literal: boolean;
}

interface State {
  globals: Map<string, string>;
  verb?: string;
  extra: readonly string[];
  noun?: string;
  options: readonly OptionMeta[];
  operands: string[];
  pending?: OptionMeta;
  literal: boolean;
  /** Operands that end the options. */
  limit: number;
}

/** Reads the words before the one that is being typed, `tsbox` itself left out. */
export async function readLine(words: readonly string[], tables: Tables): Promise<Line> {
  const state: State = {
    globals: new Map(),
    extra: [],
    options: GLOBAL_OPTIONS,
    operands: [],
    literal: false,
    limit: Number.POSITIVE_INFINITY,
  };
  for (const word of words) await take(state, word, tables);
  return state;
}

async function take(state: State, word: string, tables: Tables): Promise<void> {
  const { pending } = state;
  if (pending) {
    delete state.pending;
    keep(state, pending, word);
  } else if (state.literal) state.operands.push(word);
  else if (word === '--') state.literal = true;
  else if (word.startsWith('-') && word !== '-') flag(state, word);
  else if (state.verb === undefined) await name(state, word, tables);
  else operand(state, word);
}

function operand(state: State, word: string): void {
  state.operands.push(word);
  if (state.operands.length >= state.limit) state.literal = true;
}

/** A word before the verb is known. */
async function name(state: State, word: string, tables: Tables): Promise<void> {
  if (state.noun === undefined && Object.hasOwn(tables.nouns, word)) state.noun = word;
  else await enter(state, state.noun === undefined ? word : `${state.noun} ${word}`, tables);
}

async function enter(state: State, typed: string, { verbs, aliases }: Tables): Promise<void> {
  const [verb = typed, ...extra] = aliases.get(typed) ?? [];
  const load = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  state.verb = verb;
  state.extra = extra;
  state.options = [];
  delete state.noun;
  if (!load) return;
  const found = await load();
  state.options = optionsOf(found).filter(option => !option.hidden);
  if (found.operands.rest) state.limit = found.operands.min;
}

function flag(state: State, word: string): void {
  const equals = word.indexOf('=');
  if (word.startsWith('--')) {
    const option = optionNamed(state.options, equals < 0 ? word : word.slice(0, equals));
    if (option && equals >= 0) keep(state, option, word.slice(equals + 1));
    else if (option?.value !== undefined) state.pending = option;
    return;
  }
  for (let i = 1; i < word.length; i++) {
    const option = optionNamed(state.options, `-${word[i]}`);
    if (option?.value === undefined) continue;
    if (i + 1 === word.length) state.pending = option;
    return;
  }
}

function keep(state: State, option: OptionMeta, value: string): void {
  const long = option.names.find(each => each.startsWith('--'));
  if (state.verb === undefined && state.noun === undefined && long !== undefined)
    state.globals.set(long, value);
}

export const optionNamed = (options: readonly OptionMeta[], name: string): OptionMeta | undefined =>
  options.find(option => option.names.includes(name));
