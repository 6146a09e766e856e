/** A place of a formatted source file that makes an error of the project's own type, or the facts of one. */
export interface ErrorSite {
  /** Line number, from 1. */
  readonly line: number;
  readonly code: string;
  /** How the message begins, up to the first value in it; '' when it is put together elsewhere. */
  readonly message: string;
  /** It says which check of doctor explains it. */
  readonly named: boolean;
}

/** `new TsboxError(CODE, message, {…})`, and objects `{code: CODE, …}` that become one. The quotes are the formatter's. */
export function errorSites(text: string): ErrorSite[] {
  const calls = [...text.matchAll(/new TsboxError\(/g)].map(({ index }) => {
    const body = text.slice(index, closing(text, index + 'new TsboxError('.length));
    const [, code = '', rest = ''] = /^new TsboxError\(\s*([^,]+),\s*([\s\S]*)$/.exec(body) ?? [];
    return { index, body, code, message: /^['"`]([^'"`$]*)/.exec(rest)?.[1] ?? '' };
  });
  const objects = [...text.matchAll(/[{,]\s*code: ([^,}\n]+)/g)].map(({ index, 1: code = '' }) => {
    const from = opening(text, text[index] === '{' ? index + 1 : index);
    return { index, body: text.slice(from, closing(text, from)), code, message: '' };
  });
  return [...calls, ...objects].flatMap(({ index, body, code, message }) => {
    const named = /\bcheck\b/.test(body);
    const line = text.slice(0, index).split('\n').length;
    return codesOf(code).map(each => ({ line, code: each, message, named }));
  });
}

/** `'A'`, and both of `x ? 'A' : 'B'`; what is compared with before the question mark is no code. */
const codesOf = (text: string): string[] =>
  [...text.replace(/^[^?]*\?/, '').matchAll(/'([A-Z_]+)'/g)].map(([, code = '']) => code);

/** Index of the bracket that closes what is open at `from`. */
function closing(text: string, from: number): number {
  let depth = 1;
  for (let i = from; i < text.length; i++) {
    const char = text[i] ?? '';
    if ('\'"`'.includes(char)) i = afterQuote(text, i);
    else if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char) && --depth === 0) return i;
  }
  return text.length;
}

function afterQuote(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === text[from]) return i;
  }
  return text.length;
}

/** Index after the brace that is open at `at`; quotes do not hold braces before a code. */
function opening(text: string, at: number): number {
  let depth = 0;
  for (let i = at - 1; i >= 0; i--) {
    if (text[i] === '}') depth++;
    else if (text[i] === '{' && depth-- === 0) return i + 1;
  }
  return 0;
}
