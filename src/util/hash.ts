import type { Hash } from 'node:crypto';
import { createRequire } from 'node:module';

/**
 * SHA-256, from node:crypto loaded at the first use: loading it takes 6 ms, and a `run` of an image that is here hashes
 * nothing.
 */
export function newSha256(): Hash {
  crypto ??= createRequire('/')('node:crypto') as typeof import('node:crypto');
  return crypto.createHash('sha256');
}

let crypto: typeof import('node:crypto') | undefined;
