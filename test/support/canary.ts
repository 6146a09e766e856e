import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';

/** A tree on the host that no container was given: what it looks like before an attack must hold after it. */
export interface Canary {
  readonly dir: string;
  /** A text that stands in its files and nowhere else: reading it inside a container is an escape. */
  readonly secret: string;
  /** Fails when anything in the tree was made, changed, replaced, linked or removed. */
  assertUntouched(): void;
}

export function makeCanary(parent: string): Canary {
  const dir = join(parent, 'canary');
  const secret = `canary-${createHash('sha256').update(parent).digest('hex').slice(0, 16)}`;
  mkdirSync(join(dir, 'sub'), { recursive: true });
  for (const name of ['file', 'sub/file']) writeFileSync(join(dir, name), `${secret}\n`);
  // A user of this name is found by who reads the wrong passwd.
  writeFileSync(join(dir, 'passwd'), `${secret}:x:0:0::/:/bin/sh\n`);
  const before = describeTree(dir);
  return {
    dir,
    secret,
    assertUntouched: () => assert.equal(describeTree(dir), before, 'the canary was touched'),
  };
}

/** Each entry with type, mode, inode, link count, change time and content. */
function describeTree(dir: string): string[] {
  return ['.', ...readdirSync(dir, { recursive: true, encoding: 'utf8' })].sort().map(name => {
    const path = join(dir, name);
    const s = lstatSync(path, { bigint: true });
    const content = s.isFile() ? digest(path) : s.isSymbolicLink() ? readlinkSync(path) : '';
    return [name, s.mode.toString(8), s.ino, s.nlink, s.uid, s.ctimeNs, content].join(' ');
  });
}

const digest = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
