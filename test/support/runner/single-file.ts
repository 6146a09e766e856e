import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestFile } from './kinds.ts';

/** Where `npm run build:exe` puts it. */
export const singleFile = (root: string): string => join(root, `dist/exe/tsbox-linux-${process.arch}`);

/** Files, and the program they are about: undefined is what `npm run build` makes. */
export interface Pass {
  readonly files: readonly TestFile[];
  readonly exe?: string;
}

/** `--exe`: everything against the single file; `--long`: the whole of e2e against it as well, if it has been built. */
export function passesOf(
  files: readonly TestFile[],
  root: string,
  { only, also }: { only: boolean; also: boolean },
): Pass[] {
  const exe = singleFile(root);
  if (only) return [{ files, exe }];
  const e2e = files.filter(f => f.kind === 'e2e');
  if (!also || e2e.length === 0 || !existsSync(exe)) return [{ files }];
  return [{ files }, { files: e2e, exe }];
}
