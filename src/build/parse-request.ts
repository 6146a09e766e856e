import type { DockerfileWarning, Heredoc } from './instructions.ts';
import type { LogicalLine } from './lex.ts';
import { type Flags, type FlagTable, readFlags } from './parse-flags.ts';
import { Mistake } from './parse-mistake.ts';
import { jsonArray, type Word } from './parse-words.ts';

/** One instruction on its way to a type: keyword, flags and operands found, nothing of them judged. */
export interface Request {
  readonly line: LogicalLine;
  readonly escapeChar: string;
  /** In capitals. */
  readonly keyword: string;
  readonly flagWords: readonly Word[];
  /** What follows the flags, without blanks at its ends. */
  readonly rest: string;
  /** Where `rest` begins in the joined line. */
  readonly at: number;
  readonly heredocs: readonly Heredoc[];
  warn(message: string, from?: number, to?: number): void;
}

export type Warn = (warning: DockerfileWarning) => void;

/** Also the check that there are no others. */
export const flagsOf = (request: Request, table: FlagTable): Flags =>
  readFlags(request.keyword, request.flagWords, table);

export function needOperands(request: Request, what: string): void {
  if (request.rest !== '') return;
  const end = request.line.joined.trimEnd().length;
  throw new Mistake(`${request.keyword} needs ${what}`, { from: Math.max(0, end - 1), to: end });
}

/** The operands in exec form; undefined: shell form. What looks like a broken array is warned of. */
export function execForm(request: Request, text = request.rest, at = request.at): string[] | undefined {
  const words = jsonArray(text, at);
  const looksLike = text.startsWith('[') && /^\[\s*["']/.test(text) && text.trimEnd().endsWith(']');
  if (words === undefined && looksLike)
    request.warn('this is not a JSON array of strings and goes to the shell as it is', at, at + text.length);
  return words;
}
