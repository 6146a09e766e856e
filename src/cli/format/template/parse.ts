import { lex, type Piece, type Token } from './lex.ts';
import { Tokens } from './tokens.ts';
import type { Node, Pipeline } from './tree.ts';
import { templateError } from './values.ts';

type Block = 'if' | 'with' | 'range';
interface Body {
  readonly nodes: Node[];
  /** The action that ended it: `end`, `else …`, or nothing at the end of the template. */
  readonly ended: readonly Token[] | undefined;
}

/** Go template text → tree. Throws TsboxError USAGE with what is wrong. */
export function parse(source: string): Node[] {
  const pieces = lex(source);
  const { nodes, ended } = parseBody(pieces, 0);
  if (ended) throw templateError(`unexpected {{${ended[0]?.text ?? ''}}}`);
  return nodes;
}

/** Takes pieces off the front until the block ends. */
function parseBody(pieces: Piece[], depth: number): Body {
  const nodes: Node[] = [];
  for (let piece = pieces.shift(); piece; piece = pieces.shift()) {
    if ('text' in piece) nodes.push({ type: 'text', text: piece.text });
    else {
      const word = keyword(piece.action);
      if (word === 'end' || word === 'else') return { nodes, ended: piece.action };
      nodes.push(parseAction(piece.action, pieces, depth));
    }
  }
  if (depth > 0) throw templateError('unexpected end of the template: {{end}} is missing');
  return { nodes, ended: undefined };
}

const keyword = (action: readonly Token[]): string | undefined =>
  action[0]?.type === 'name' ? action[0].text : undefined;

function parseAction(action: readonly Token[], pieces: Piece[], depth: number): Node {
  const word = keyword(action);
  if (word === 'if' || word === 'with' || word === 'range')
    return parseBlock(word, action.slice(1), pieces, depth);
  if (word === 'break' || word === 'continue') return { type: word };
  if (word === 'define' || word === 'template' || word === 'block') {
    throw templateError(`{{${word}}} is not supported`);
  }
  return { type: 'print', pipeline: pipelineOf(action) };
}

function parseBlock(type: Block, head: readonly Token[], pieces: Piece[], depth: number): Node {
  const pipeline = pipelineOf(head);
  const { nodes: body, ended } = parseBody(pieces, depth + 1);
  return { type, pipeline, body, other: parseElse(ended ?? [], pieces, depth) };
}

/** `{{else}} … {{end}}`, or `{{else if X}} …`, whose one `{{end}}` closes both. */
function parseElse(ended: readonly Token[], pieces: Piece[], depth: number): Node[] {
  if (keyword(ended) !== 'else') return [];
  const next = ended[1]?.text;
  if (next === 'if' || next === 'with') return [parseBlock(next, ended.slice(2), pieces, depth)];
  const other = parseBody(pieces, depth + 1);
  if (keyword(other.ended ?? []) === 'else') throw templateError('expected {{end}}, found {{else}}');
  return other.nodes;
}

function pipelineOf(action: readonly Token[]): Pipeline {
  const tokens = new Tokens(action);
  const pipeline = tokens.pipeline();
  tokens.expectEnd();
  return pipeline;
}
