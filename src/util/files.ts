import * as fs from 'node:fs';

/**
 * node:fs/promises for small things, done at once: a look at a directory takes microseconds, loading that module and starting
 * the threads behind it 5 ms of a short command. What writes much, syncs, or may wait belongs there (`promises` of node:fs).
 */
type Async = typeof import('node:fs/promises');

const atOnce = <F>(work: (...args: never[]) => unknown): F =>
  (async (...args: never[]) => work(...args)) as F;

export const access = atOnce<Async['access']>(fs.accessSync);
export const chmod = atOnce<Async['chmod']>(fs.chmodSync);
export const mkdir = atOnce<Async['mkdir']>(fs.mkdirSync);
export const readdir = atOnce<Async['readdir']>(fs.readdirSync);
export const readFile = atOnce<Async['readFile']>(fs.readFileSync);
export const rename = atOnce<Async['rename']>(fs.renameSync);
export const rmdir = atOnce<Async['rmdir']>(fs.rmdirSync);
export const stat = atOnce<Async['stat']>(fs.statSync);
export const unlink = atOnce<Async['unlink']>(fs.unlinkSync);
export const utimes = atOnce<Async['utimes']>(fs.utimesSync);
export const writeFile = atOnce<Async['writeFile']>(fs.writeFileSync);

/** Entries that `rm` removes at once. */
const FEW = 200;

/** `rm -rf`: few things at once, many by node:fs/promises. */
export async function rm(
  path: string,
  options: { readonly recursive?: boolean; readonly force?: boolean } = {},
): Promise<void> {
  if (!removeFew(path, { left: options.recursive ? FEW : 0 })) await fs.promises.rm(path, options);
}

/** False when there is more, or when something could not be removed; what it could is gone. Nothing there: true. */
function removeFew(path: string, budget: { left: number }): boolean {
  try {
    if (!fs.lstatSync(path).isDirectory()) fs.unlinkSync(path);
    else {
      for (const name of namesIn(path))
        if (--budget.left < 0 || !removeFew(`${path}/${name}`, budget)) return false;
      fs.rmdirSync(path);
    }
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** One that may not be read may still be empty, and then its parent's owner removes it. Node's own `rm` tries that, Bun's does not. */
function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return [];
    throw error;
  }
}
