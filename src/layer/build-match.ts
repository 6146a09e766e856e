import type { ByteString } from './bytes.ts';

/**
 * Go's filepath.Match for one component of a path: `*`, `?`, `[a-z]`, `[^a]`, `\x`. Throws SyntaxError for a malformed pattern.
 */
export function componentMatcher(pattern: ByteString): RegExp {
  let out = '';
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] ?? '';
    if (char === '*') out += '[^/]*';
    else if (char === '?') out += '[^/]';
    else if (char === '[') {
      const { text, end } = characterClass(pattern, at);
      out += text;
      at = end;
    } else if (char === '\\') out += escaped(pattern[++at] ?? bad(pattern));
    else out += escaped(char);
  }
  return new RegExp(`^${out}$`, 's');
}

export const hasWildcard = (text: ByteString): boolean => /[*?[\\]/.test(text);

function characterClass(pattern: ByteString, start: number): { text: string; end: number } {
  let at = start + 1;
  const negated = pattern[at] === '^';
  if (negated) at++;
  let text = '';
  for (let first = true; first || pattern[at] !== ']'; first = false) {
    if (at >= pattern.length) bad(pattern);
    if (pattern[at] === '\\') at++;
    text += escaped(pattern[at++] ?? bad(pattern));
    if (pattern[at] === '-' && pattern[at + 1] !== ']') {
      at++;
      if (pattern[at] === '\\') at++;
      text += `-${escaped(pattern[at++] ?? bad(pattern))}`;
    }
  }
  return { text: `[${negated ? '^' : ''}${text}]`, end: at };
}

const escaped = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

function bad(pattern: ByteString): never {
  throw new SyntaxError(`syntax error in pattern ${JSON.stringify(pattern)}`);
}

/** docker's patterns of `--exclude`: `**` matches any number of directories; a match hides all that is below it. */
export function excludeMatcher(patterns: readonly ByteString[]): (path: ByteString) => boolean {
  const matchers = patterns.map(pattern => ({
    negated: pattern.startsWith('!'),
    parts: partsOf(pattern.replace(/^!/, '')).map(part => (part === '**' ? part : componentMatcher(part))),
  }));
  return path => {
    let hidden = false;
    const names = partsOf(path);
    for (const { negated, parts } of matchers) if (matchesPrefix(parts, names)) hidden = !negated;
    return hidden;
  };
}

export const partsOf = (path: ByteString): ByteString[] =>
  path.split('/').filter(part => part !== '' && part !== '.');

/** True when the pattern matches the path or a directory above it. */
function matchesPrefix(parts: readonly (RegExp | '**')[], names: readonly ByteString[]): boolean {
  const [first, ...rest] = parts;
  if (first === undefined) return true;
  if (first === '**') {
    if (rest.length === 0) return names.length > 0;
    return names.some((_, i) => matchesPrefix(rest, names.slice(i)));
  }
  const [name] = names;
  return name !== undefined && first.test(name) && matchesPrefix(rest, names.slice(1));
}
