import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { ContextFiles, listContext } from './context-walk.ts';
import { type IgnoreRules, NO_RULES, parseIgnore } from './dockerignore.ts';
import type { BuildContext, ContextEntry } from './types.ts';

export interface DirectoryContextOptions {
  readonly root: string;
  /** `<Dockerfile>.dockerignore`, which comes before the context's own. */
  readonly ignoreFile?: string;
  /** Removes what was temporary. */
  readonly remove?: () => Promise<void>;
}

/** A directory of this machine as a context. Throws NOT_FOUND, IO, USAGE for a broken .dockerignore. */
export class DirectoryContext implements BuildContext {
  readonly root: string;
  readonly #fd: number;
  readonly #files: ContextFiles;
  readonly #rules: IgnoreRules;
  readonly #remove: () => Promise<void>;
  #entries: readonly ContextEntry[] | undefined;

  constructor({ root, ignoreFile, remove = async () => {} }: DirectoryContextOptions) {
    this.root = root;
    this.#rules = rulesOf(root, ignoreFile);
    this.#fd = openRoot(root);
    this.#files = new ContextFiles(this.#fd);
    this.#remove = remove;
  }

  entries(): readonly ContextEntry[] {
    this.#entries ??= listContext(this.#fd, this.#rules);
    return this.#entries;
  }

  open(path: Buffer): number {
    return this.#files.open(path.toString('latin1'));
  }

  async close(): Promise<void> {
    this.#files.close();
    closeSync(this.#fd);
    await this.#remove();
  }
}

function rulesOf(root: string, ignoreFile: string | undefined): IgnoreRules {
  for (const file of [ignoreFile, join(root, '.dockerignore')]) {
    const text = file === undefined ? undefined : textOf(file);
    if (file !== undefined && text !== undefined) return parseIgnore(text, file);
  }
  return NO_RULES;
}

function textOf(file: string): string | undefined {
  try {
    // A pipe under that name must not make anybody wait.
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new TsboxError('IO', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

function openRoot(root: string): number {
  try {
    return openSync(root, 0o10000000 | constants.O_DIRECTORY);
  } catch (error) {
    const missing = hasErrno(error, 'ENOENT', 'ENOTDIR');
    const why = missing ? 'no such directory' : messageOf(error);
    throw new TsboxError(missing ? 'NOT_FOUND' : 'IO', `the context ${root} cannot be read: ${why}`, {
      cause: error,
      exitCode: 1,
    });
  }
}
