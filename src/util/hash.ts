import type { Hash } from 'node:crypto';
import { builtin } from './builtin.ts';

/**
 * SHA-256, from node:crypto loaded at the first use: loading it takes 6 ms, and a `run` of an image that is here hashes
 * nothing.
 */
export function newSha256(): Hash {
  return builtin('node:crypto').createHash('sha256');
}
