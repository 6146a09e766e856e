import { FUNCTIONS } from './functions.ts';
import { parse } from './parse.ts';
import { type Functions, Run } from './run.ts';
import type { Value } from './values.ts';

export { HEADER_FUNCTIONS } from './functions.ts';
export type { Value } from './values.ts';

/**
 * Go's text/template as docker's users write it in --format. Returns a function that renders one object; a template
 * that is wrong is a TsboxError USAGE, at once or when the wrong part is reached.
 */
export function compileTemplate(source: string, functions: Functions = FUNCTIONS): (root: Value) => string {
  const tree = parse(source);
  return root => new Run(functions).render(tree, root);
}
