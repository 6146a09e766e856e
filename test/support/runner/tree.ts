import { spawnSync } from 'node:child_process';
import { accessSync, constants, cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestUser } from './users.ts';

/**
 * Removes a tree, also one with files of subordinate ids and directories without permissions, which its owner can only
 * remove from inside a user namespace. Returns whether it is gone.
 */
export function removeTree(path: string): boolean {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    const inside = ['--user', '--map-root-user', 'rm', '-rf', path];
    const mapped = spawnSync('unshare', ['--map-auto', ...inside]);
    if (mapped.status !== 0) spawnSync('unshare', inside);
  }
  return !existsSync(path);
}

/** What the tests read of the project, and where from: the checkout, or a copy when the users cannot read it. */
export interface Stage {
  readonly root: string;
  readonly node: string;
}

const PARTS = ['.ci', 'scripts', 'src', 'test', 'docs', 'helpers', 'dist', 'node_modules'];

export function stageFor(users: readonly TestUser[], root: string, workDir: string): Stage {
  const others = users.filter(u => u.ours);
  if (others.every(u => canRead(u, root))) return { root, node: process.execPath };
  const copy = join(workDir, 'project');
  mkdirSync(copy);
  const files = readdirSync(root, { withFileTypes: true }).filter(e => e.isFile());
  for (const name of [...PARTS, ...files.map(f => f.name)]) {
    const from = join(root, name);
    if (existsSync(from)) cpSync(from, join(copy, name), { recursive: true, verbatimSymlinks: true });
  }
  spawnSync('chmod', ['-R', 'a+rX', copy]);
  return { root: copy, node: stageNode(others, workDir) };
}

/** Node may live in somebody's private home, too. */
function stageNode(users: readonly TestUser[], workDir: string): string {
  if (users.every(u => asUser(u, 'test', ['-x', process.execPath]))) return process.execPath;
  const copy = join(workDir, 'node');
  cpSync(process.execPath, copy);
  return copy;
}

function canRead(user: TestUser, root: string): boolean {
  if (!asUser(user, 'test', ['-x', process.execPath])) return false;
  const probes = ['src/index.ts', 'test/run.ts', 'node_modules/uvu/package.json', 'dist/tsbox.cjs'];
  return probes.every(name => {
    const path = join(root, name);
    return !existsSync(path) || asUser(user, 'test', ['-r', path]);
  });
}

const asUser = (user: TestUser, program: string, args: string[]): boolean =>
  spawnSync(program, args, { uid: user.uid, gid: user.gid, cwd: '/' }).status === 0;

/** A directory that every user can enter, on a disk like a home's rather than in memory where there is a choice. */
export function workBase(): string {
  for (const dir of ['/var/tmp', '/tmp']) {
    try {
      accessSync(dir, constants.W_OK);
      if (statSync(dirname(dir)).isDirectory()) return dir;
    } catch {} // try the next one
  }
  throw new Error('neither /var/tmp nor /tmp can be written');
}
