import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';

/** A Dockerfile that was found. */
export interface DockerfileSource {
  /** As messages name it. */
  readonly file: string;
  readonly text: string;
  /** Where it is on this machine; absent when it was given as text. */
  readonly path?: string;
}

const NAMES = ['Dockerfile', 'Containerfile'];
/** Bytes. */
const MAX_SIZE = 16 << 20;

export interface FindOptions {
  readonly root: string;
  /** `-f`; absent: Dockerfile or Containerfile in `root`. */
  readonly name?: string;
  /** The directory that a relative name is looked up in first; absent: only the context is. */
  readonly cwd?: string;
}

/** Reads the Dockerfile of a build. With `cwd` the context is the caller's own, else from elsewhere: no link leads out of it then. */
export function findDockerfile({ root, name, cwd }: FindOptions): DockerfileSource {
  const candidates = name === undefined ? NAMES.map(each => join(root, each)) : pathsOf(root, name, cwd);
  for (const path of candidates) {
    const text = read(path, cwd === undefined ? root : undefined);
    if (text !== undefined) return { file: shown(path, cwd, root), text, path };
  }
  throw new TsboxError('NOT_FOUND', `there is no ${name ?? 'Dockerfile'} in ${root}`, {
    hint:
      name === undefined ? 'name it with -f, or name the directory where it is' : 'the path is that of -f',
    exitCode: 1,
  });
}

function pathsOf(root: string, name: string, cwd: string | undefined): string[] {
  if (cwd === undefined) return [join(root, join('/', name))];
  return isAbsolute(name) ? [name] : [join(cwd, name), join(root, name)];
}

function shown(path: string, cwd: string | undefined, root: string): string {
  const short = relative(cwd ?? root, path);
  return short === '' || short.startsWith('../') ? path : short;
}

function read(path: string, root: string | undefined): string | undefined {
  try {
    const real = realpathSync(path);
    if (root !== undefined && !real.startsWith(`${realpathSync(root)}/`))
      throw new TsboxError('USAGE', `${path} is a link that leads out of the context`, { exitCode: 1 });
    const fd = openSync(real, constants.O_RDONLY | constants.O_NOCTTY);
    try {
      if (fstatSync(fd).size > MAX_SIZE) throw new TsboxError('DOCKERFILE', `${path} is larger than 16 MiB`);
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (error instanceof TsboxError) throw error;
    throw new TsboxError('IO', `cannot read ${path}: ${messageOf(error)}`, { cause: error, exitCode: 1 });
  }
}
