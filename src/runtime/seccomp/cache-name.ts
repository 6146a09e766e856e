import { release } from 'node:os';
import { newSha256 } from '../../util/hash.ts';

/** `options`: the name that the default filter with these options has. The kernel counts for `minKernel`. */
export function profileCacheName(json: string, options: string): string {
  const hash = newSha256().update(`${options}\n${release()}\n`).update(json).digest('hex');
  return `profile-${hash.slice(0, 40)}.bpf`;
}
