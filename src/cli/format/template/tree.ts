import type { Value } from './values.ts';

/** A parsed template. */
export type Node =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'print'; readonly pipeline: Pipeline }
  | {
      readonly type: 'if' | 'with';
      readonly pipeline: Pipeline;
      readonly body: Node[];
      readonly other: Node[];
    }
  | { readonly type: 'range'; readonly pipeline: Pipeline; readonly body: Node[]; readonly other: Node[] }
  | { readonly type: 'break' | 'continue' };

/** `$i, $x := a | b`: commands joined by `|`, each getting the one before as its last argument. */
export interface Pipeline {
  /** Variables without the `$`; two only in range. */
  readonly variables: readonly string[];
  /** `:=` makes variables, `=` sets them. */
  readonly declares: boolean;
  readonly commands: readonly Command[];
}

/** The first operand with the others as its arguments. */
export type Command = readonly [Operand, ...Operand[]];

export type Operand =
  | { readonly type: 'literal'; readonly value: Value }
  | { readonly type: 'dot' }
  | { readonly type: 'variable'; readonly name: string }
  | { readonly type: 'function'; readonly name: string }
  | { readonly type: 'pipeline'; readonly pipeline: Pipeline }
  /** `.A.B` of an operand; the base of a plain `.A` is the dot. */
  | { readonly type: 'fields'; readonly base: Operand; readonly names: readonly string[] };
