import { lstatSync, mkdirSync, readlinkSync } from 'node:fs';
import { type ByteString, toPath } from './bytes.ts';
import { layerError } from './error.ts';
import { isWhiteout } from './marks.ts';

/** Times that a directory gets back when we are through with it, since making files in it changes them. */
export interface Times {
  readonly seconds: number;
  readonly nanoseconds: number;
}

interface Frame {
  readonly name: ByteString;
  readonly path: ByteString;
  times: Times | undefined;
}

export interface WalkHooks {
  /** Makes a directory that the archive did not list, or that replaces a whiteout (`opaque`). */
  make(path: ByteString, opaque: boolean): void;
  setTimes(path: ByteString, times: Times): void;
}

/** As many as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * The way from the layer's root to the directory we are working in, one frame for each directory. Every frame is a real
 * directory, looked at with lstat(2): no path that goes through a symbolic link is ever given to the kernel. An archive that
 * has `lib -> usr/lib` and then `lib/x` means `usr/lib/x`, as with docker; the link is resolved here, below the root.
 * Memory is as deep as the tree, not as large.
 */
export class Walk {
  readonly #frames: Frame[];
  readonly #hooks: WalkHooks;

  /** `root`: path of the layer's root without a slash at its end; empty when it is the root of the process. */
  constructor(root: ByteString, hooks: WalkHooks) {
    this.#frames = [{ name: '', path: root, times: timesOf(root === '' ? '/' : root) }];
    this.#hooks = hooks;
  }

  /** Goes to a directory, making what is missing; returns its path (of the root: without a slash). Throws LAYER. */
  enter(parents: readonly ByteString[], entry: ByteString): ByteString {
    let known = 0;
    while (known < parents.length && this.#frames[known + 1]?.name === parents[known]) known++;
    this.#leave(known + 1);
    if (known < parents.length) this.#descend(parents.slice(known), entry);
    return this.#top.path;
  }

  /**
   * The path of something that exists, for the target of a hard link: every directory on the way must be a real one, a
   * symbolic link among them is refused (CVE-2026-26960). Does not move.
   */
  existing(parts: readonly ByteString[], entry: ByteString): ByteString {
    let path = this.#frames[0]?.path ?? '';
    for (const [i, name] of parts.slice(0, -1).entries()) {
      path += `/${name}`;
      const isKnown = this.#frames[i + 1]?.path === path;
      if (!isKnown && !lstatSync(toPath(path), { throwIfNoEntry: false })?.isDirectory()) {
        throw layerError('the target of a hard link lies behind something that is not a directory', entry);
      }
    }
    return `${path}/${parts.at(-1) ?? ''}`;
  }

  /** Goes into a directory that was just made or checked below the current one and shall have these times in the end. */
  push(name: ByteString, times: Times): void {
    this.#frames.push({ name, path: `${this.#top.path}/${name}`, times });
  }

  /** The current directory shall have these times in the end. */
  setTimes(times: Times): void {
    this.#top.times = times;
  }

  /** Leaves every directory, so that all have their times. */
  finish(): void {
    this.#leave(0);
  }

  get #top(): Frame {
    return this.#frames[this.#frames.length - 1] as Frame;
  }

  #leave(depth: number): void {
    while (this.#frames.length > depth) {
      const frame = this.#frames.pop();
      if (frame?.times) this.#hooks.setTimes(frame.path === '' ? '/' : frame.path, frame.times);
    }
  }

  #descend(names: readonly ByteString[], entry: ByteString): void {
    const pending = [...names].reverse();
    let links = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '..') this.#leave(Math.max(1, this.#frames.length - 1));
      else {
        const target = this.#step(name, entry);
        if (target === undefined) continue;
        if (++links > MAX_LINKS) throw layerError('too many symbolic links on the way', entry);
        if (target.startsWith('/')) this.#leave(1);
        pending.push(
          ...target
            .split('/')
            .filter(part => part !== '' && part !== '.')
            .reverse(),
        );
      }
    }
  }

  /** Goes one directory down; a symbolic link is not followed, its target is returned. */
  #step(name: ByteString, entry: ByteString): ByteString | undefined {
    const path = `${this.#top.path}/${name}`;
    const stat = lstatSync(toPath(path), { throwIfNoEntry: false });
    if (stat?.isSymbolicLink()) return readlinkSync(toPath(path), { encoding: 'latin1' });
    if (!stat || isWhiteout(stat)) this.#hooks.make(path, stat !== undefined);
    else if (!stat.isDirectory()) throw layerError('a part of its path is not a directory', entry);
    this.#frames.push({ name, path, times: stat?.isDirectory() ? timesOf(path) : undefined });
    return undefined;
  }
}

function timesOf(path: ByteString): Times {
  const { mtimeNs } = lstatSync(toPath(path), { bigint: true });
  const nanoseconds = Number(((mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
  return { seconds: Number((mtimeNs - BigInt(nanoseconds)) / 1_000_000_000n), nanoseconds };
}

/** Makes one directory with the mode that a directory has that nobody listed. */
export function makePlainDirectory(path: ByteString): void {
  mkdirSync(toPath(path), 0o755);
}
