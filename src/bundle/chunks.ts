import { basename } from 'node:path';
import type { Metafile } from 'esbuild';

/** The piece of the program that is loaded first. */
export const ENTRY = './main.js';

/** A piece of the program. */
export interface Chunk {
  /** As the others import it: `./chunk-X.js`. */
  readonly name: string;
  readonly code: string;
}

type Output = Metafile['outputs'][string];

/**
 * The names of the chunks that the entry `main` and the modules `hot` (paths of sources) need: what they import, and what those
 * import, at once. What is imported later (`await import`) is hot only if it is listed.
 */
export function hotChunks({ outputs }: Metafile, hot: ReadonlySet<string>): Set<string> {
  const names = new Set<string>();
  const add = (path: string): void => {
    const name = chunkName(path);
    if (names.has(name)) return;
    names.add(name);
    for (const i of outputs[path]?.imports ?? [])
      if (i.kind === 'import-statement' && !i.external) add(i.path);
  };
  const isHot = ({ entryPoint }: Output): boolean => entryPoint !== undefined && hot.has(entryPoint);
  for (const [path, output] of Object.entries(outputs)) if (isHot(output)) add(path);
  return names;
}

export const chunkName = (path: string): string => `./${basename(path)}`;

/** One expression: an object with a function for each chunk, which the loader (src/cli/boot.ts) calls when it is required. */
export function pack(chunks: readonly Chunk[]): string {
  const members = chunks.map(
    ({ name, code }) => `${JSON.stringify(name)}(exports, require, module, __dirname) {${code}\n}`,
  );
  return `({\n${members.join(',\n')}\n})`;
}
