import { closeSync, lstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import { hasErrno } from '../errors.ts';
import { type ByteString, toPath } from './bytes.ts';
import { HOLD, heldPath } from './copy-walk.ts';
import { layerError } from './error.ts';

/** How the directories on the way to an entry are gone through. */
export interface Way {
  /** The path under which the children of `parent`'s entry `name` are found, and how to let go of it; made when missing. */
  enter(parent: string, name: ByteString, entry: ByteString): Step;
}

export interface Step {
  readonly path: string;
  leave(): void;
}

/**
 * On the host: every directory is held by its descriptor, none is reached through a link. Neither what an archive makes nor
 * what a container exchanges in a directory that it has mounted can lead out of the destination.
 */
export const heldWay: Way = {
  enter(parent, name, entry) {
    const path = toPath(`${parent}/${name}`);
    for (let made = false; ; made = true) {
      try {
        const fd = openSync(path, HOLD);
        return { path: heldPath(fd), leave: () => closeSync(fd) };
      } catch (error) {
        if (hasErrno(error, 'ENOTDIR', 'ELOOP')) throw notDirectory(entry);
        if (made || !hasErrno(error, 'ENOENT')) throw error;
        mkdirSync(path, 0o755);
      }
    }
  },
};

/** Inside a container, whose root is the root of the process: links are followed, as docker does for parents that are not listed. */
export const insideWay: Way = {
  enter(parent, name, entry) {
    const path = `${parent}/${name}`;
    if (lstatSync(toPath(path), { throwIfNoEntry: false }) === undefined) mkdirSync(toPath(path), 0o755);
    else if (!statSync(toPath(path)).isDirectory()) throw notDirectory(entry);
    return { path, leave: () => {} };
  },
};

const notDirectory = (entry: ByteString) => layerError('a part of its path is not a directory', entry);

interface Frame extends Step {
  readonly name: ByteString;
  onLeave: (path: string) => void;
}

/** The directories from the destination to where the last entry went. Memory is as deep as the tree. */
export class Frames {
  readonly #way: Way;
  readonly #root: string;
  readonly #frames: Frame[] = [];

  /** `root`: without a slash at its end; empty for the root of the process. */
  constructor(root: string, way: Way) {
    this.#root = root;
    this.#way = way;
  }

  /** Goes to a directory; returns its path without a slash at the end. */
  go(parts: readonly ByteString[], entry: ByteString): string {
    let known = 0;
    while (known < parts.length && this.#frames[known]?.name === parts[known]) known++;
    this.#leave(known);
    for (const name of parts.slice(known))
      this.#frames.push({ name, ...this.#way.enter(this.#path, name, entry), onLeave: () => {} });
    return this.#path;
  }

  /** What is to be done with the directory where we are when we are through with it. */
  whenLeft(action: (path: string) => void): void {
    const top = this.#frames.at(-1);
    if (top) top.onLeave = action;
  }

  /** Does something in another directory, without moving. */
  visit<T>(parts: readonly ByteString[], entry: ByteString, work: (path: string) => T): T {
    const steps: Step[] = [];
    try {
      for (const name of parts) steps.push(this.#way.enter(steps.at(-1)?.path ?? this.#root, name, entry));
      return work(steps.at(-1)?.path ?? this.#root);
    } finally {
      for (const step of steps.reverse()) step.leave();
    }
  }

  /** The last entry is done. */
  finish(): void {
    this.#leave(0);
  }

  /** Lets go of everything, after an error. */
  close(): void {
    for (const frame of this.#frames.splice(0)) frame.leave();
  }

  get #path(): string {
    return this.#frames.at(-1)?.path ?? this.#root;
  }

  #leave(depth: number): void {
    while (this.#frames.length > depth) {
      const frame = this.#frames.pop();
      try {
        frame?.onLeave(frame.path);
      } finally {
        frame?.leave();
      }
    }
  }
}
