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
 * The pack of each chunk that a quick command needs, by the modules it begins with: of those that two packs need, and of `start`, START_PACK; of
 * what a pack and the one it is loaded `beside` (pack → pack) need, the latter.
 */
export function packsOf(
  metafile: Metafile,
  start: readonly string[],
  packs: Readonly<Record<string, readonly string[]>>,
  beside: Readonly<Record<string, string>>,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const [pack, modules] of Object.entries(packs))
    for (const chunk of neededBy(metafile, new Set(modules))) {
      const other = found.get(chunk);
      found.set(chunk, other === undefined ? pack : other === beside[pack] ? other : START_PACK);
    }
  for (const chunk of neededBy(metafile, new Set(start))) found.set(chunk, START_PACK);
  return found;
}

export const START_PACK = 'main';

/** What the modules `hot` (paths of sources) import, and what those import, at once; what is imported later (`await import`) only if it is listed. */
function neededBy({ outputs }: Metafile, hot: ReadonlySet<string>): Set<string> {
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
