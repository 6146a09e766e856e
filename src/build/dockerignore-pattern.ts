/**
 * Patterns as docker's matcher (moby/patternmatcher) reads them: Go's filepath.Match and `**`. A pattern without wildcards is compared as
 * text; `dir/**` and `**name` are prefix and suffix of the whole path, which a regular expression would not say the same way.
 */
export type PatternTest = (path: string) => boolean;

type Kind = 'exact' | 'prefix' | 'suffix' | 'expression';

/** Throws Error for a class without an end and a backslash at the end. */
export function compilePattern(pattern: string): PatternTest {
  checkSyntax(pattern);
  const { kind, expression } = translate(pattern);
  if (kind === 'exact') return path => path === pattern;
  if (kind === 'prefix') return path => path.startsWith(pattern.slice(0, -2));
  if (kind === 'suffix') {
    const suffix = pattern.slice(2);
    return path => path.endsWith(suffix) || (suffix.startsWith('/') && path === suffix.slice(1));
  }
  const compiled = new RegExp(`^${expression}$`, 'su');
  return path => compiled.test(path);
}

function translate(pattern: string): { kind: Kind; expression: string } {
  let kind: Kind = 'exact';
  let expression = '';
  for (let at = 0; at < pattern.length; ) {
    const char = String.fromCodePoint(pattern.codePointAt(at) ?? 0);
    const begin = at;
    at += char.length;
    if (char === '*' && pattern[at] === '*') {
      at++;
      if (pattern[at] === '/') at++;
      const isLast = at >= pattern.length;
      if (!isLast || kind !== 'exact') expression += isLast ? '.*' : '(.*/)?';
      kind = isLast && kind === 'exact' ? 'prefix' : 'expression';
      if (begin === 0) kind = 'suffix';
    } else if (char === '*' || char === '?') {
      expression += char === '*' ? '[^/]*' : '[^/]';
      kind = 'expression';
    } else if (char === '\\') {
      expression += literal(String.fromCodePoint(pattern.codePointAt(at) ?? 0));
      at += at < pattern.length ? String.fromCodePoint(pattern.codePointAt(at) ?? 0).length : 0;
      kind = 'expression';
    } else if (char === '[') {
      const end = classEnd(pattern, begin);
      expression += classOf(pattern.slice(begin + 1, end - 1));
      at = end;
      kind = 'expression';
    } else expression += literal(char);
  }
  return { kind, expression };
}

const literal = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** `a-z`, `^a`, with `\` before what is meant as it stands. */
function classOf(body: string): string {
  const negated = body.startsWith('^');
  const chars = negated ? body.slice(1) : body;
  const inner = chars.replace(/\\(.)|([[\]{}()|/&~!#%,:;<=>@`"'^$.*+?])/gsu, (_, escaped, plain) =>
    inClass(String(escaped ?? plain)),
  );
  return `[${negated ? '^' : ''}${inner}]`;
}

const inClass = (char: string): string => (/[\\\]\-^[]/.test(char) ? `\\${char}` : char);

/** The place after the `]`. */
function classEnd(pattern: string, from: number): number {
  let at = from + (pattern[from + 1] === '^' ? 2 : 1);
  for (let first = true; at < pattern.length; first = false, at++) {
    if (pattern[at] === '\\') at++;
    else if (pattern[at] === ']' && !first) return at + 1;
  }
  throw new Error('a "[" has no "]"');
}

function checkSyntax(pattern: string): void {
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] === '[') at = classEnd(pattern, at) - 1;
    else if (pattern[at] === '\\' && ++at >= pattern.length) throw new Error('it ends in a backslash');
  }
}
