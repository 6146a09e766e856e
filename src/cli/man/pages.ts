import type { Example, VerbClass } from '../command.ts';
import { GLOBAL_OPTIONS } from '../globals.ts';
import { aliasesOf } from '../help.ts';
import type { OptionMeta } from '../options.ts';
import { optionsOf } from '../parse.ts';
import { NOUNS, VERBS } from '../table.ts';
import { VERSION } from '../version.ts';
import {
  bold,
  exampleOf,
  flagTerm,
  head,
  reference,
  roff,
  section,
  subsection,
  synopsis,
  term,
} from './roff.ts';
import { ENVIRONMENT, FILES, INTRODUCTION, STATUS } from './texts.ts';

/**
 * The manual, from the same definitions as `--help`: file names in man1/ and their man(7) text. `man tsbox-run`, or
 * `man tsbox run` as man-db reads it.
 */
export async function manPages(): Promise<ReadonlyMap<string, string>> {
  const verbs = await Promise.all(
    Object.entries(VERBS).map(async ([name, load]) => [name, await load()] as const),
  );
  const pages = verbs.map(([name, verb]) => [`${pageOf(name)}.1`, verbPage(name, verb)] as const);
  return new Map([['tsbox.1', mainPage(verbs)], ...pages]);
}

const pageOf = (name: string): string => `tsbox-${name.replace(' ', '-')}`;

function verbPage(name: string, verb: VerbClass): string {
  const { operands, summary, details, examples = [] } = verb.help;
  const aliases = aliasesOf(name).map(alias => `tsbox ${alias}`);
  const parts = [
    head(pageOf(name), VERSION, lowerFirst(summary)),
    section('synopsis', synopsis(`tsbox ${name}`, operands)),
    section('description', roff(`${summary}.`), ...paragraphs(details)),
    ...optionSection(optionsOf(verb)),
    ...(aliases.length > 0 ? [section('other names', aliases.map(bold).join(', '))] : []),
    ...exampleSection(examples),
    section('see also', ['tsbox', ...neighbours(name)].map(reference).join(',\n')),
  ];
  return `${parts.join('\n')}\n`;
}

/** A name stays as it is: `OCI archive …` is no verb. */
const lowerFirst = (text: string): string =>
  /^[A-Z][a-z]/.test(text) ? `${text.charAt(0).toLowerCase()}${text.slice(1)}` : text;

const paragraphs = (details: string | undefined): string[] =>
  details === undefined ? [] : ['.PP', roff(details)];

function optionSection(options: readonly OptionMeta[]): string[] {
  const shown = options.filter(option => !option.hidden);
  if (shown.length === 0) return [];
  const groups = [...new Set(shown.map(option => option.group))];
  const content = groups.map(group => {
    const terms = shown.filter(option => option.group === group).map(optionTerm);
    return group === undefined ? terms.join('\n') : subsection(group, ...terms);
  });
  return [section('options', ...content)];
}

const optionTerm = ({ names, value, description }: OptionMeta): string =>
  term(flagTerm(names, value), `${description}.`);

const exampleSection = (examples: readonly Example[]): string[] =>
  examples.length === 0 ? [] : [section('examples', examples.map(exampleText).join('\n.PP\n'))];

const exampleText = ([what, line, facts]: Example): string =>
  exampleOf(facts?.where === undefined ? what : `${what} (where ${facts.where})`, line);

/** The other verbs of its noun. */
function neighbours(name: string): string[] {
  const noun = name.includes(' ') ? `${name.split(' ')[0]} ` : undefined;
  if (noun === undefined) return [];
  const names = Object.keys(VERBS).filter(other => other.startsWith(noun) && other !== name);
  return names.map(pageOf);
}

function mainPage(verbs: ReadonlyArray<readonly [string, VerbClass]>): string {
  const commands = verbs.map(([name, verb]) => term(reference(pageOf(name)), `${verb.help.summary}.`));
  const nouns = Object.entries(NOUNS).map(([noun, what]) => term(bold(`tsbox ${noun}`), `${what}.`));
  const parts = [
    head('tsbox', VERSION, "containers for a user who will never be root, in docker's words"),
    section('synopsis', synopsis('tsbox', '[OPTIONS] COMMAND [ARG...]')),
    section('description', INTRODUCTION.map(roff).join('\n.PP\n')),
    section('options', ...GLOBAL_OPTIONS.map(optionTerm)),
    section('commands', ...commands, subsection('By noun, too', ...nouns)),
    section('exit status', ...STATUS.map(([status, what]) => term(bold(status), what))),
    section('environment', ...ENVIRONMENT.map(([name, what]) => term(bold(name), what))),
    section('files', ...FILES.map(([path, what]) => term(bold(path), what))),
  ];
  return `${parts.join('\n')}\n`;
}
