import { TsboxError } from '../errors.ts';
import type { SourceRange } from './instructions.ts';
import { SourceText } from './lex-source.ts';

/** One mistake of a Dockerfile. */
export interface Finding {
  readonly message: string;
  /** What was probably meant. */
  readonly suggestion: string | undefined;
  /** Absent: the file as a whole. */
  readonly range?: SourceRange;
}

const MOST = 20;
const LONGEST = 200;
/** Columns of a shown line. */
const WIDTH = 100;

/** All mistakes of one file as one error. */
export function dockerfileError(
  file: string,
  findings: readonly Finding[],
  source: SourceText | string | undefined,
): TsboxError {
  const lines = typeof source === 'string' ? new SourceText(source) : source;
  const shown = findings.slice(0, MOST).map(finding => describe(file, finding, lines));
  const more = findings.length > MOST ? [`… and ${findings.length - MOST} more`] : [];
  const count = findings.length > 1 ? [`${findings.length} mistakes in ${file}`] : [];
  // One character for one: the carets stay below their places.
  const text = [...count, ...shown, ...more].join('\n').replace(/(?![\t\n])\p{Cc}/gu, '\ufffd');
  return new TsboxError('DOCKERFILE', text, { exitCode: 1 });
}

/** `Dockerfile:3:1: message`, then the line and a caret below the place. */
export function describe(file: string, finding: Finding, source: SourceText | undefined): string {
  const { suggestion, range } = finding;
  const message =
    finding.message.length > LONGEST ? `${finding.message.slice(0, LONGEST)}…` : finding.message;
  const meant = suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`;
  if (!range) return `${file}: ${message}${meant}`;
  const { line, column } = range.start;
  const head = `${file}:${line}:${column}: ${message}${meant}`;
  return source ? `${head}\n${excerpt(source, range)}` : head;
}

/** The first line of a range with a caret below. */
export function excerpt(source: SourceText, range: SourceRange): string {
  const { line, column } = range.start;
  const text = source.line(line).replaceAll('\t', ' ');
  // Of a long line the part around the place is shown.
  const from = column > WIDTH - 20 ? column - 40 : 0;
  const part = text.slice(from, from + WIDTH);
  const [left, right] = [from > 0 ? '…' : '', text.length > from + WIDTH ? '…' : ''];
  const last = range.end.line === line ? range.end.column - 1 : text.length;
  const width = Math.max(1, Math.min(last, from + part.length) - column + 1);
  const gutter = `${line}`.padStart(4);
  const caret = `${' '.repeat(left.length + column - 1 - from)}^${'~'.repeat(width - 1)}`;
  return `${gutter} | ${left}${part}${right}\n${' '.repeat(gutter.length)} | ${caret}`;
}

/** The lines of a range with `>>>` before them and one line around: where a step failed. */
export function failingLines(text: string, range: SourceRange): string {
  const source = new SourceText(text);
  const [first, last] = [range.start.line, Math.min(range.end.line, range.start.line + 14)];
  const lines: string[] = [];
  for (let line = Math.max(1, first - 1); line <= last + 1; line++) {
    const isIn = line >= first && line <= last;
    const shown = source.line(line);
    if (!isIn && shown === '') continue;
    const cut = shown.length > 200 ? `${shown.slice(0, 200)}…` : shown;
    lines.push(`${`${line}`.padStart(4)} | ${isIn ? '>>> ' : '    '}${cut}`);
  }
  return lines.join('\n');
}
