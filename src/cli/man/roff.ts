/** The few man(7) macros that the pages use. Every text given is plain; it is escaped here. */

/** Characters that troff would read or set otherwise: a dash must stay one that can be copied. */
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
  '"': '\\(dq',
};

const hex = (character: string): string =>
  (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');

/** A text as troff shows it letter by letter; it may stand at the beginning of a line. */
export function roff(text: string): string {
  const escaped = text
    .replace(/[\\\-'`^~"]/g, character => ESCAPES[character] ?? character)
    .replace(/[^\n -~]/gu, character => `\\[u${hex(character)}]`);
  return escaped.replace(/^\./gm, '\\&.');
}

const bold = (text: string): string => `\\fB${roff(text)}\\fR`;
const italic = (text: string): string => `\\fI${roff(text)}\\fR`;

export const section = (title: string, ...content: readonly string[]): string =>
  [`.SH ${roff(title.toUpperCase())}`, ...content].join('\n');

export const subsection = (title: string, ...content: readonly string[]): string =>
  [`.SS ${roff(title)}`, ...content].join('\n');

/** `-e`, `--env` NAME: spellings in bold, the value's placeholder in italics. */
export const flagTerm = (names: readonly string[], value: string | undefined): string =>
  names.map(bold).join(', ') + (value === undefined ? '' : ` ${italic(value)}`);

export const term = (head: string, text: string): string => `.TP\n${head}\n${roff(text)}`;

/** The words of a command line: what is typed as it stands in bold, placeholders (capitals) in italics. */
export const synopsis = (command: string, operands: string): string =>
  [
    bold(command),
    ...operands.split(' ').map(word => (/[A-Z]{2}/.test(word) ? italic(word) : roff(word))),
  ].join(' ');

/** What it does, and the line as it is typed. */
export const exampleOf = (what: string, line: string): string =>
  `${roff(what)}:\n.PP\n.RS 4\n.nf\n${roff(line)}\n.fi\n.RE`;

export const reference = (page: string): string => `${bold(page)}(1)`;

/** The first lines of a page: its title, the program's version, its name and what it is. */
export const head = (page: string, version: string, summary: string): string =>
  [
    `.TH ${roff(page.toUpperCase())} 1 "" "tsbox ${roff(version)}" "User Commands"`,
    section('name', `${roff(page)} \\- ${roff(summary)}`),
  ].join('\n');

export { bold };
