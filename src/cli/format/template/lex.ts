import { templateError } from './values.ts';

/** A word inside `{{ }}`. `spaced`: white space stands before it, which parts `.A .B` from `.A.B`. */
export interface Token {
  readonly type: 'field' | 'variable' | 'name' | 'string' | 'number' | 'punctuation';
  readonly text: string;
  readonly spaced: boolean;
}

/** A template cut into literal text and actions. */
export type Piece = { readonly text: string } | { readonly action: readonly Token[] };

/** Cuts the template, applying the trim markers `{{- ` and ` -}}` and leaving comments out. */
export function lex(source: string): Piece[] {
  const pieces: Piece[] = [];
  let rest = source;
  let trimNext = false;
  for (;;) {
    const open = rest.indexOf('{{');
    const before = open < 0 ? rest : rest.slice(0, open);
    const trimsLeft = open >= 0 && /^\{\{-\s/.test(rest.slice(open));
    const text = trim(before, trimNext, trimsLeft);
    if (text !== '') pieces.push({ text });
    if (open < 0) return pieces;
    const inside = rest.slice(open + (trimsLeft ? 3 : 2));
    const end = actionEnd(inside);
    trimNext = /\s-$/.test(inside.slice(0, end));
    const body = trimNext ? inside.slice(0, end - 1) : inside.slice(0, end);
    if (!/^\s*\/\*[\s\S]*\*\/\s*$/.test(body)) pieces.push({ action: tokens(body) });
    rest = inside.slice(end + 2);
  }
}

const trim = (text: string, left: boolean, right: boolean): string => {
  const cut = left ? text.trimStart() : text;
  return right ? cut.trimEnd() : cut;
};

/** Index of the closing `}}`, which may also stand inside a string or a comment. */
function actionEnd(body: string): number {
  const comment = /^\s*\/\*[\s\S]*?\*\/\s*-?(?=\}\})/.exec(body);
  if (comment) return comment[0].length;
  const skip = /"(?:\\.|[^"\\])*"|`[^`]*`|'(?:\\.|[^'\\])*'|\}\}/g;
  for (let match = skip.exec(body); match; match = skip.exec(body)) if (match[0] === '}}') return match.index;
  throw templateError('unclosed action');
}

const TOKEN =
  /(\s*)(?:(?<string>"(?:\\.|[^"\\])*"|`[^`]*`)|(?<char>'(?:\\.|[^'\\])')|(?<number>[+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))|(?<field>\.[\p{L}_][\p{L}\d_]*)|(?<variable>\$[\p{L}\d_]*)|(?<name>[\p{L}_][\p{L}\d_]*)|(?<punctuation>:=|[.()|=,]))/uy;

function tokens(body: string): Token[] {
  const found: Token[] = [];
  const text = body.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(text);
    if (!groups)
      throw templateError(`unexpected ${JSON.stringify(text.slice(at).trim().slice(0, 20))} in action`);
    found.push(toToken(groups));
  }
  return found;
}

function toToken(match: RegExpExecArray): Token {
  const spaced = match[1] !== '';
  const groups = match.groups ?? {};
  if (groups.string !== undefined) return { type: 'string', text: unquote(groups.string), spaced };
  if (groups.char !== undefined) {
    return { type: 'number', text: String(unquote(`"${groups.char.slice(1, -1)}"`).codePointAt(0)), spaced };
  }
  for (const type of ['number', 'field', 'variable', 'name', 'punctuation'] as const) {
    const text = groups[type];
    if (text !== undefined) return { type, text, spaced };
  }
  throw templateError('unexpected word in action');
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };

function unquote(literal: string): string {
  const body = literal.slice(1, -1);
  if (literal.startsWith('`')) return body;
  return body.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)/gs, (_, code: string) => {
    if (code.length > 1) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
    return ESCAPES[code] ?? code;
  });
}
