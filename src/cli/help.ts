import { TsboxError } from '../errors.ts';
import { suggest } from '../util/suggest.ts';
import type { Example, VerbClass } from './command.ts';
import { GLOBAL_OPTIONS } from './globals.ts';
import type { OptionMeta } from './options.ts';
import { optionsOf } from './parse.ts';
import { ALIASES, NOUNS, VERBS, verbsOfNoun } from './table.ts';

const WIDTH = 100;

/** What `tsbox --help` shows, in this order; verbs of a noun are shown by the noun's own help. */
const SECTIONS: ReadonlyArray<readonly [string, readonly string[]]> = [
  ['Run', ['run', 'exec', 'ps', 'logs', 'stop', 'rm']],
  ['Containers', ['create', 'start', 'attach', 'kill', 'wait', 'inspect']],
  ['Images', ['build', 'pull', 'images', 'load', 'import', 'tag', 'rmi']],
  ['This machine', ['doctor', 'info', 'version']],
];

/** Help for a path of words: nothing, a verb, a noun, a noun and its verb. Throws USAGE for anything else. */
export async function helpFor(words: readonly string[]): Promise<string> {
  const path = words.filter(word => !word.startsWith('-'));
  const [first, second] = path;
  if (first === undefined) return overview();
  if (Object.hasOwn(NOUNS, first) && second === undefined) return nounHelp(first);
  const typed = Object.hasOwn(VERBS, first) ? first : path.slice(0, 2).join(' ');
  const name = ALIASES.get(typed)?.[0] ?? typed;
  const load = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (!load) throw noSuchCommand(path.join(' '));
  return verbHelp(name, await load());
}

function noSuchCommand(words: string): TsboxError {
  const close = suggest(words, [...Object.keys(VERBS), ...Object.keys(NOUNS)]);
  const hint = close === undefined ? "'tsbox --help' lists the commands" : `did you mean '${close}'?`;
  return new TsboxError('USAGE', `unknown command: tsbox ${words}`, { hint });
}

async function overview(): Promise<string> {
  const sections = await Promise.all(
    SECTIONS.map(async ([title, names]) => {
      const rows = await Promise.all(names.map(async name => [name, await summaryOf(name)] as const));
      return `${title}:\n${rows.map(([name, summary]) => `  ${name.padEnd(9)} ${summary}\n`).join('')}`;
    }),
  );
  const nouns = Object.keys(NOUNS).join(', ');
  return [
    "tsbox: docker's words without docker's daemon. Containers for a user who will never be root.",
    '  tsbox run -it --rm alpine sh      a shell in a container\n' +
      '  tsbox run --rm host COMMAND       try a command on a copy-on-write view of this machine',
    ...sections.map(section => section.trimEnd()),
    moreVerbs(),
    `By noun, too: ${nouns}\nBefore the command: ${globalsLine()}`,
    "'tsbox COMMAND --help' explains a command, 'tsbox run --explain IMAGE' a container.\n",
  ].join('\n\n');
}

/** The verbs that no section shows, by name alone. */
function moreVerbs(): string {
  const shown = new Set(SECTIONS.flatMap(([, names]) => names));
  const names = Object.keys(VERBS).filter(name => !shown.has(name) && !name.includes(' '));
  return wrap(`More: ${names.sort().join(', ')}`, WIDTH, '').join('\n');
}

const globalsLine = (): string =>
  GLOBAL_OPTIONS.map(({ names, value }) => `${names.at(-1)}${value === undefined ? '' : ` ${value}`}`).join(
    ', ',
  );

async function summaryOf(name: string): Promise<string> {
  return (await VERBS[name]?.())?.help.summary ?? '';
}

async function nounHelp(noun: string): Promise<string> {
  const rows = await Promise.all(
    verbsOfNoun(noun).map(async verb => {
      const typed = `${noun} ${verb}`;
      return `  ${verb.padEnd(9)} ${await summaryOf(ALIASES.get(typed)?.[0] ?? typed)}\n`;
    }),
  );
  return `Usage: tsbox ${noun} COMMAND\n\n${NOUNS[noun]}\n\nCommands:\n${rows.join('')}`;
}

function verbHelp(name: string, verb: VerbClass): string {
  const { operands, summary, details, examples = [] } = verb.help;
  const parts = [`Usage: tsbox ${name} ${operands}`.trimEnd(), summary];
  if (details !== undefined) parts.push(wrap(details, WIDTH, '').join('\n'));
  parts.push(...optionSections(optionsOf(verb)));
  const aliases = aliasesOf(name);
  if (aliases.length > 0) parts.push(`Also: ${aliases.map(alias => `tsbox ${alias}`).join(', ')}`);
  if (examples.length > 0) {
    parts.push(['Examples:', ...examples.map(exampleLines)].join('\n'));
  }
  return `${parts.join('\n\n')}\n`;
}

const exampleLines = ([what, line, facts]: Example): string =>
  `  # ${what}${facts?.where === undefined ? '' : ` (where ${facts.where})`}\n  ${line}`;

/** Other ways to type the same. */
export function aliasesOf(name: string): string[] {
  return [...ALIASES].filter(([, words]) => words.length === 1 && words[0] === name).map(([alias]) => alias);
}

function optionSections(options: readonly OptionMeta[]): string[] {
  const shown = options.filter(option => !option.hidden);
  const groups = [...new Set(shown.map(option => option.group))];
  return groups.map(group => {
    const lines = shown.filter(option => option.group === group).map(optionLine);
    return [`${group ?? 'Options'}:`, ...lines].join('\n');
  });
}

const COLUMN = 34;

function optionLine({ names, value, description }: OptionMeta): string {
  const shorts = names.filter(name => name.length === 2);
  const longs = names.filter(name => name.length > 2);
  const spelled = [...shorts, longs[0]].filter(name => name !== undefined).join(', ');
  const left = `  ${shorts.length > 0 ? '' : '    '}${spelled}${value === undefined ? '' : ` ${value}`}`;
  const text = wrap(description, WIDTH - COLUMN, ' '.repeat(COLUMN))
    .join('\n')
    .trimStart();
  return left.length < COLUMN - 1 ? left.padEnd(COLUMN) + text : `${left}\n${' '.repeat(COLUMN)}${text}`;
}

function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map(each => indent + each);
}
