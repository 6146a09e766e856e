import type { OptionMeta } from '../options.ts';
import { type Line, readLine } from './line.ts';
import { operandPlace } from './operands.ts';
import type { Tables } from './tables.ts';
import { type Kind, type Place, valuePlace } from './values.ts';

export interface Candidate {
  /** The whole word, with what was typed of it. */
  readonly word: string;
  /** A few words about it. */
  readonly about: string;
}

export interface Answer {
  readonly candidates: readonly Candidate[];
  /** The shell completes names of files itself. */
  readonly files?: 'files' | 'directories';
}

/** Asks the store for names; `globals` are the line's own `--root` and so on. */
export type Ask = (kind: Kind, globals: ReadonlyMap<string, string>) => Promise<readonly Candidate[]>;

/** What can follow on a command line: `words` without `tsbox`, the last one being typed. */
export async function answer(words: readonly string[], tables: Tables, ask: Ask): Promise<Answer> {
  const typed = words.at(-1) ?? '';
  const line = await readLine(words.slice(0, -1), tables);
  if (line.pending) return at(valuePlace(line.verb, line.pending), line, ask);
  const value = line.literal ? undefined : /^(--[\w-]+)=/.exec(typed);
  const option = value && line.options.find(each => each.names.includes(value[1] ?? ''));
  if (value && option) return prefixed(value[0], await at(valuePlace(line.verb, option), line, ask));
  if (typed.startsWith('-') && !line.literal) return { candidates: flags(line.options) };
  if (line.verb === undefined) return { candidates: await names(line, tables) };
  const help = (await tables.verbs[line.verb]?.())?.help;
  if (!help) return { candidates: [] };
  return at(operandPlace(line.verb, help.operands, line.operands.length), line, ask);
}

const prefixed = (prefix: string, { candidates, ...rest }: Answer): Answer => ({
  ...rest,
  candidates: candidates.map(({ word, about }) => ({ word: prefix + word, about })),
});

async function at(place: Place, line: Line, ask: Ask): Promise<Answer> {
  const { words = [], suffix = '' } = place;
  const kinds = wanted(place, line);
  const stored = kinds.filter(kind => kind !== 'files' && kind !== 'directories');
  const found = (await Promise.all(stored.map(kind => ask(kind, line.globals)))).flat();
  const fresh = found.filter(({ word }) => !line.operands.includes(word) && !words.includes(word));
  const files = kinds.find(kind => kind === 'files' || kind === 'directories');
  return {
    candidates: [
      ...words.map(word => ({ word, about: '' })),
      ...fresh.map(({ word, about }) => ({ word: word + suffix, about })),
    ],
    ...(files && { files }),
  };
}

/** `container inspect` asks for containers only. */
function wanted({ kinds = [] }: Place, { verb, extra }: Line): readonly Kind[] {
  const type = verb === 'inspect' && /^--type=(\w+)$/.exec(extra[0] ?? '')?.[1];
  return type ? kinds.filter(kind => kind === `${type}s`) : kinds;
}

function flags(options: readonly OptionMeta[]): Candidate[] {
  const help = { names: ['--help'], description: 'Show this help' };
  return [...options, help].flatMap(({ names: spellings, description }) =>
    spellings.map(word => ({ word, about: description })),
  );
}

/** Verbs and nouns, or a noun's verbs. */
async function names({ noun }: Line, { verbs, aliases, nouns, verbsOfNoun }: Tables): Promise<Candidate[]> {
  const summary = async (name: string): Promise<string> =>
    (await verbs[aliases.get(name)?.[0] ?? name]?.())?.help.summary ?? '';
  const named = (word: string, name: string): Promise<Candidate> =>
    summary(name).then(about => ({ word, about }));
  if (noun !== undefined) return Promise.all(verbsOfNoun(noun).map(verb => named(verb, `${noun} ${verb}`)));
  const plain = Object.keys(verbs).filter(name => !name.includes(' '));
  const groups = Object.entries(nouns).map(([word, about]) => ({ word, about }));
  return [...(await Promise.all(plain.map(name => named(name, name)))), ...groups];
}
