import { TsboxError } from '../errors.ts';

/** The words of a Dockerfile line: quotes, backslashes and `$VARIABLE`, as its reference describes them. */

/** Splits at blanks that are not quoted. The words keep their quotes: `expandWord` takes them away. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (quote === '' && /\s/.test(char)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    word += char;
    if (char === '\\' && quote !== "'") word += text[++at] ?? '';
    else if (quote === '' ? char === '"' || char === "'" : char === quote) quote = quote === '' ? char : '';
  }
  if (quote !== '') throw unclosed(quote);
  return word === '' ? words : [...words, word];
}

/** Takes quotes and backslashes away and fills variables in (`$A`, `${A}`, `${A:-else}`, `${A:+then}`). Throws USAGE. */
export function expandWord(word: string, env: ReadonlyMap<string, string>): string {
  let out = '';
  for (let at = 0; at < word.length; ) {
    const char = word[at];
    if (char === "'") {
      const end = closing(word, at, "'");
      out += word.slice(at + 1, end);
      at = end + 1;
    } else if (char === '"') {
      const end = closing(word, at, '"');
      out += expandQuoted(word.slice(at + 1, end), env);
      at = end + 1;
    } else if (char === '\\') {
      out += word[at + 1] ?? '';
      at += 2;
    } else if (char === '$') {
      const found = variable(word, at, env);
      out += found.value;
      at = found.end;
    } else {
      out += char;
      at++;
    }
  }
  return out;
}

/** Between double quotes a backslash means something before `"`, `$` and itself only. */
function expandQuoted(text: string, env: ReadonlyMap<string, string>): string {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const char = text[at];
    if (char === '\\' && /["$\\]/.test(text[at + 1] ?? '')) {
      out += text[at + 1];
      at += 2;
    } else if (char === '$') {
      const found = variable(text, at, env);
      out += found.value;
      at = found.end;
    } else {
      out += char;
      at++;
    }
  }
  return out;
}

const NAMED = /\$([A-Za-z_][A-Za-z0-9_]*)/y;
const BRACED = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([-+])([^}]*))?\}/y;

function variable(
  text: string,
  at: number,
  env: ReadonlyMap<string, string>,
): { value: string; end: number } {
  NAMED.lastIndex = at;
  BRACED.lastIndex = at;
  const named = NAMED.exec(text);
  if (named) return { value: env.get(named[1] ?? '') ?? '', end: NAMED.lastIndex };
  const braced = BRACED.exec(text);
  if (!braced) {
    if (text[at + 1] === '{')
      throw new TsboxError('USAGE', `${JSON.stringify(text.slice(at))} is not a variable`);
    return { value: '$', end: at + 1 };
  }
  const [, name = '', operator, word = ''] = braced;
  const set = env.get(name) ?? '';
  const isSet = set !== '';
  const other = (): string => expandWord(word, env);
  if (operator === '-') return { value: isSet ? set : other(), end: BRACED.lastIndex };
  if (operator === '+') return { value: isSet ? other() : '', end: BRACED.lastIndex };
  return { value: set, end: BRACED.lastIndex };
}

function closing(text: string, from: number, quote: string): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\' && quote === '"') at++;
    else if (text[at] === quote) return at;
  }
  throw unclosed(quote);
}

const unclosed = (quote: string): TsboxError => new TsboxError('USAGE', `a quote (${quote}) is not closed`);
