import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  type Stats,
} from 'node:fs';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { quote } from '../oci/quote.ts';
import { type IgnoreRules, NO_PARENT, type ParentMatch } from './dockerignore.ts';
import type { ContextEntry } from './types.ts';

/**
 * A context can be changed by others while it is read, and one from elsewhere can hold anything: every directory is held by its descriptor
 * and entered through the one above, and no link is ever followed.
 */
const O_PATH = 0o10000000;
const HOLD = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Names are bytes: here strings with one character for each. */
type ByteString = string;

const NOT_ASCII = /[^\0-\x7f]/;
const toPath = (name: ByteString): string | Buffer =>
  NOT_ASCII.test(name) ? Buffer.from(name, 'latin1') : name;
const held = (fd: number): string => `/proc/self/fd/${fd}`;
const decoded = (name: ByteString): string =>
  NOT_ASCII.test(name) ? Buffer.from(name, 'latin1').toString() : name;

/** Everything beneath an open directory that the rules leave, parents before children. Sockets, pipes and devices are left out. */
export function listContext(root: number, rules: IgnoreRules): ContextEntry[] {
  const entries: ContextEntry[] = [];
  new Walk(rules, entry => entries.push(entry)).directory(held(root), '', NO_PARENT);
  return entries;
}

class Walk {
  readonly #rules: IgnoreRules;
  readonly #take: (entry: ContextEntry) => void;
  /** Ignored directories above, which are taken once something in them is. */
  readonly #pending: ContextEntry[] = [];

  constructor(rules: IgnoreRules, take: (entry: ContextEntry) => void) {
    this.#rules = rules;
    this.#take = take;
  }

  directory(path: string, name: ByteString, parent: ParentMatch): void {
    for (const child of namesIn(path, name))
      this.#child(path, child, name === '' ? child : `${name}/${child}`, parent);
  }

  #child(path: string, child: ByteString, name: ByteString, parent: ParentMatch): void {
    const inside = `${path}/${child}`;
    const stat = lstatSync(toPath(inside), { throwIfNoEntry: false });
    const entry = stat && entryOf(inside, name, stat);
    if (!entry) return;
    const { ignored, match } = this.#rules.match(decoded(name), parent);
    if (ignored && !(entry.type === 'directory' && this.#rules.mayTakeBack(decoded(name)))) return;
    if (ignored) this.#pending.push(entry);
    else {
      for (const above of this.#pending.splice(0)) this.#take(above);
      this.#take(entry);
    }
    if (entry.type === 'directory') this.#enter(inside, name, match);
    // Nothing was taken in it.
    if (this.#pending.at(-1) === entry) this.#pending.pop();
  }

  #enter(inside: string, name: ByteString, match: ParentMatch): void {
    const fd = hold(inside);
    if (fd === undefined) return;
    try {
      this.directory(held(fd), name, match);
    } finally {
      closeSync(fd);
    }
  }
}

function namesIn(path: string, name: ByteString): ByteString[] {
  try {
    return readdirSync(path, { encoding: 'latin1' }).sort();
  } catch (error) {
    throw unreadable(name === '' ? '.' : name, error);
  }
}

function entryOf(path: string, name: ByteString, stat: Stats): ContextEntry | undefined {
  const type = stat.isFile()
    ? 'file'
    : stat.isDirectory()
      ? 'directory'
      : stat.isSymbolicLink()
        ? 'symlink'
        : undefined;
  if (type === undefined) return undefined;
  return {
    path: Buffer.from(name, 'latin1'),
    type,
    mode: stat.mode & 0o7777,
    size: type === 'file' ? stat.size : 0,
    mtime: stat.mtimeMs,
    ...(type === 'symlink' && { target: readlinkSync(toPath(path), { encoding: 'buffer' }) }),
    dev: stat.dev,
    ino: stat.ino,
    links: stat.nlink,
  };
}

/** Undefined when it is no directory any more. */
function hold(path: string): number | undefined {
  try {
    return openSync(toPath(path), HOLD);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}

interface Frame {
  readonly name: ByteString;
  readonly fd: number;
}

/** Opens files of a context by their paths; the directories of the last one stay open for the next. */
export class ContextFiles {
  readonly #root: number;
  readonly #frames: Frame[] = [];

  constructor(root: number) {
    this.#root = root;
  }

  /** Throws IO when the path is no regular file or leads through a link. */
  open(path: ByteString): number {
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    try {
      const fd = openSync(toPath(`${this.#directory(parts)}/${name}`), READ);
      if (fstatSync(fd).isFile()) return fd;
      closeSync(fd);
    } catch (error) {
      throw unreadable(path, error);
    }
    throw new TsboxError('IO', `${quote(decoded(path))} of the context is no regular file any more`);
  }

  close(): void {
    this.#leave(0);
  }

  #directory(parts: readonly ByteString[]): string {
    let known = 0;
    while (known < parts.length && this.#frames[known]?.name === parts[known]) known++;
    this.#leave(known);
    for (const name of parts.slice(known)) {
      if (name === '' || name === '.' || name === '..') throw new Error(`${quote(name)} is no name`);
      this.#frames.push({ name, fd: openSync(toPath(`${held(this.#top)}/${name}`), HOLD) });
    }
    return held(this.#top);
  }

  get #top(): number {
    return this.#frames.at(-1)?.fd ?? this.#root;
  }

  #leave(depth: number): void {
    for (const { fd } of this.#frames.splice(depth)) closeSync(fd);
  }
}

const unreadable = (name: ByteString, error: unknown): TsboxError =>
  new TsboxError('IO', `cannot read ${quote(decoded(name))} of the context: ${messageOf(error)}`, {
    cause: error,
    hint: 'make it readable, or list it in .dockerignore',
    exitCode: 1,
  });
