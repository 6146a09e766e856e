import type { Heredoc, SourceRange } from './instructions.ts';
import type { SourceText } from './lex-source.ts';

/** Where a stretch of the joined line stands in the file. */
interface Segment {
  readonly at: number;
  readonly offset: number;
}

/** Lines of the file that continuations make one; comments and empty lines between them are gone. */
export class LogicalLine {
  readonly joined: string;
  readonly source: SourceText;
  /** Offsets in the file; `end` is before the line's newline. */
  readonly start: number;
  readonly end: number;
  /** Continuations that were followed by an empty line. */
  readonly hasEmpty: boolean;
  readonly #segments: readonly Segment[];

  constructor(
    source: SourceText,
    parts: readonly string[],
    segments: readonly Segment[],
    end: number,
    hasEmpty: boolean,
  ) {
    this.source = source;
    this.joined = parts.join('');
    this.#segments = segments;
    this.start = segments[0]?.offset ?? end;
    this.end = end;
    this.hasEmpty = hasEmpty;
  }

  /** Offset in the file of a character of `joined`. */
  offset(at: number): number {
    const segments = this.#segments;
    let i = segments.length - 1;
    while (i > 0 && (segments[i]?.at ?? 0) > at) i--;
    const segment = segments[i];
    return segment ? Math.min(segment.offset + at - segment.at, this.end) : this.start;
  }

  range(from = 0, to = this.joined.length): SourceRange {
    const start = this.offset(from);
    return this.source.range(start, Math.max(start, to > from ? this.offset(to - 1) + 1 : start));
  }
}

interface RawLine {
  readonly start: number;
  /** Before the newline. */
  readonly end: number;
  readonly text: string;
}

/** Reads a Dockerfile line by line (docker's reference: Format, Here-Documents). */
export class LineReader {
  readonly source: SourceText;
  readonly #escape: string;
  #at: number;

  constructor(source: SourceText, escapeChar: string) {
    this.source = source;
    this.#escape = escapeChar;
    this.#at = source.text.startsWith('\ufeff') ? 1 : 0;
  }

  /** The next line that is neither empty nor a comment; undefined at the end. */
  next(): LogicalLine | undefined {
    for (let line = this.#raw(); line; line = this.#raw()) {
      const indent = line.text.length - line.text.trimStart().length;
      const text = line.text.slice(indent);
      if (text === '' || text.startsWith('#')) continue;
      const logical = this.#join(text, line.start + indent, line.end);
      if (logical) return logical;
    }
    return undefined;
  }

  #join(first: string, offset: number, firstEnd: number): LogicalLine | undefined {
    let { body, more } = continuation(first, this.#escape);
    const [parts, segments] = [[body], [{ at: 0, offset }]];
    let [length, end, hasEmpty] = [body.length, firstEnd, false];
    while (more) {
      const line = this.#raw();
      if (!line) break;
      const trimmed = line.text.trimStart();
      if (trimmed.startsWith('#')) continue;
      if (trimmed === '') {
        hasEmpty = true;
        continue;
      }
      ({ body, more } = continuation(line.text, this.#escape));
      segments.push({ at: length, offset: line.start });
      parts.push(body);
      length += body.length;
      end = line.end;
    }
    const logical = new LogicalLine(this.source, parts, segments, end, hasEmpty);
    return logical.joined.trim() === '' ? undefined : logical;
  }

  /** The lines up to the one that is `name` alone; undefined when there is none. */
  heredoc(name: string, stripTabs: boolean): Pick<Heredoc, 'content' | 'range'> | undefined {
    const [start, lines] = [this.#at, [] as string[]];
    for (let line = this.#raw(); line; line = this.#raw()) {
      const text = stripTabs ? line.text.replace(/^\t+/, '') : line.text;
      if (text === name) return { content: lines.join(''), range: this.source.range(start, line.start) };
      lines.push(`${text}${this.source.text.slice(line.end, this.#at)}`);
    }
    return undefined;
  }

  /** Where the next line begins, or the text ends. */
  get at(): number {
    return this.#at;
  }

  #raw(): RawLine | undefined {
    const { text } = this.source;
    const start = this.#at;
    if (start >= text.length) return undefined;
    const newline = text.indexOf('\n', start);
    this.#at = newline < 0 ? text.length : newline + 1;
    let end = newline < 0 ? text.length : newline;
    if (end > start && text[end - 1] === '\r') end--;
    return { start, end, text: text.slice(start, end) };
  }
}

/** A line whose last character but blanks is one escape (two are none) goes on with the next. */
function continuation(text: string, escapeChar: string): { body: string; more: boolean } {
  let last = text.length - 1;
  while (last >= 0 && (text[last] === ' ' || text[last] === '\t')) last--;
  const more = last >= 0 && text[last] === escapeChar && text[last - 1] !== escapeChar;
  return { body: more ? text.slice(0, last) : text, more };
}
