import type { Hash } from 'node:crypto';
import { closeSync } from 'node:fs';
import { newSha256 } from '../util/hash.ts';
import type { CopyNode } from './build-members.ts';
import type { Choice } from './build-select.ts';
import { Batch, packBytes } from './pack.ts';

/**
 * What makes two copies equal, whatever their times: the shape, which is all that is known before a file is read, then the bytes of the files one after
 * the other (their sizes are in the shape). The bytes are read for it alone, or pass by on their way to a layer.
 */
export class CopyDigest {
  readonly #hash: Hash = newSha256();

  constructor(shape: string) {
    this.#hash.update(shape);
  }

  /** What is read of the files of `withBytes`, in that order. */
  data(piece: Buffer): void {
    this.#hash.update(piece);
  }

  finish(): string {
    return this.#hash.digest('hex');
  }
}

/** Names, types, modes, owners, sizes, link targets and attributes. */
export function shapeOf<N extends CopyNode>({ sources, files }: Choice<N>): string {
  const lines = sources.map(({ name, isDirectory }) => `${isDirectory ? 'd' : 'f'}${name}\0`);
  const inodes = new Map<string, number>();
  for (const [at, { node, source, relative }] of files.entries()) {
    const content = node.type === 'file' ? bodyOf(node, at, inodes) : (node.target ?? '');
    lines.push(`${source}\0${relative}\0${node.type}\0${node.identity}\0${content}\0`);
  }
  return newSha256().update(lines.join(''), 'latin1').digest('hex');
}

/** Its length; for a further name of a file, where the first one is. */
function bodyOf(node: CopyNode, at: number, inodes: Map<string, number>): string {
  if (node.inode === undefined) return `${node.size}`;
  const first = inodes.get(node.inode);
  if (first !== undefined) return `=${first}`;
  inodes.set(node.inode, at);
  return `${node.size}`;
}

/** Reads the files. */
export function digestOf<N extends CopyNode>(choice: Choice<N>, shape = shapeOf(choice)): string {
  const digest = new CopyDigest(shape);
  const out = new Batch();
  for (const node of withBytes(choice))
    for (const piece of packFile(node.open(), node.size, out)) digest.data(piece);
  for (const piece of out.rest()) digest.data(piece);
  return digest.finish();
}

function* packFile(fd: number, size: number, out: Batch): Generator<Buffer> {
  try {
    yield* packBytes(fd, size, out);
  } finally {
    closeSync(fd);
  }
}

/** The files whose bytes are in the archive. */
function* withBytes<N extends CopyNode>({ files }: Choice<N>): Generator<N> {
  const seen = new Set<string>();
  for (const { node } of files) {
    if (node.type !== 'file' || node.size === 0 || (node.inode && seen.has(node.inode))) continue;
    if (node.inode) seen.add(node.inode);
    yield node;
  }
}
