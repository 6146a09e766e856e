import type { Heredoc } from './instructions.ts';
import type { LineReader } from './lex.ts';
import { Mistake } from './parse-mistake.ts';
import { quotedWords, type Word } from './parse-words.ts';

/** A `<<NAME` as it stands in an instruction. */
export interface HeredocWord extends Word {
  readonly name: string;
  readonly expand: boolean;
  readonly stripTabs: boolean;
}

/** `<<EOF`, `<<-EOF`, `3<<'E F'`: quotes anywhere in the name keep the content from expansion. Undefined for other words. */
export function heredocWord(word: Word): HeredocWord | undefined {
  const [, dash, rest = ''] = /^\d*<<(-?)([^<]+)$/s.exec(word.text) ?? [];
  if (rest === '') return undefined;
  const name = rest.replace(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/gs, (_, single, double, escaped) =>
    String(single ?? double ?? escaped),
  );
  return { ...word, name, expand: name === rest, stripTabs: dash === '-' };
}

export const heredocWords = (text: string, base: number): HeredocWord[] =>
  text.includes('<<')
    ? quotedWords(text, base, '\\').flatMap(word => {
        const found = heredocWord(word);
        return found ? [found] : [];
      })
    : [];

/** Reads the content of each from the lines that follow. Throws Mistake when a terminator is missing. */
export function readHeredocs(reader: LineReader, words: readonly HeredocWord[]): Heredoc[] {
  return words.map(({ name, expand, stripTabs, at, text }) => {
    const found = reader.heredoc(name, stripTabs);
    if (found) return { name, expand, stripTabs, ...found };
    const wants = `a line that is ${JSON.stringify(name)} alone`;
    throw new Mistake(`the heredoc ${text} has no end: ${wants} is missing`, {
      from: at,
      to: at + text.length,
    });
  });
}
