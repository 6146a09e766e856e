import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sealedEnv } from '../sealed-env.ts';
import { KINDS, type TestFile } from './kinds.ts';
import { findLeaks, lookBefore } from './leaks.ts';
import { type ChildMessage, emptyResult, type FileResult, SINGLE_FILE } from './protocol.ts';
import { removeTree } from './tree.ts';
import type { TestUser } from './users.ts';

export interface RunOptions {
  /** The project, or the readable copy of it. */
  readonly root: string;
  readonly node: string;
  readonly long: boolean;
  readonly keep: boolean;
  /** The single-file executable as the program under test; absent: what `npm run build` makes. */
  readonly exe?: string;
  /** Told about every process, so that Ctrl-C can end it. */
  readonly onSpawn: (child: ChildProcess) => void;
}

let homes = 0;

/** Runs files of one kind in one process as `user`, each group with a home of its own. */
export async function runFiles(
  files: readonly TestFile[],
  user: TestUser,
  options: RunOptions,
): Promise<FileResult[]> {
  const kind = files[0]?.kind ?? 'unit';
  const home = makeHome(user, `${++homes}`);
  const before = lookBefore(user);
  const results = await runChild(files, user, home, options);
  if (KINDS[kind].leaks) {
    for (const leak of await findLeaks(user, home, before)) addProblem(results, `left behind: ${leak}`);
  }
  const failed = results.some(r => r.failed > 0);
  if (failed && options.keep) results[0]?.problems.push(`the scene is kept in ${home}`);
  else if (!removeTree(home)) results[0]?.problems.push(`cannot remove ${home}`);
  return results;
}

function addProblem(results: FileResult[], text: string): void {
  const first = results[0];
  if (first === undefined) return;
  first.failed++;
  first.problems.push(text);
}

function makeHome(user: TestUser, name: string): string {
  const home = join(user.dir, name);
  // the containers of root run as other ids, which must be able to reach their store
  const mode = user.account === 'root' ? 0o711 : 0o700;
  for (const dir of [home, join(home, 'run')]) {
    mkdirSync(dir, { mode });
    chmodSync(dir, mode);
    if (user.ours) chownSync(dir, user.uid, user.gid);
  }
  return home;
}

async function runChild(
  files: readonly TestFile[],
  user: TestUser,
  home: string,
  options: RunOptions,
): Promise<FileResult[]> {
  const account = files[0]?.accounts.includes('self') ? '' : user.account;
  const label = [account, options.exe === undefined ? '' : SINGLE_FILE].filter(Boolean).join(', ');
  const results = new Map(files.map(f => [f.path, emptyResult(f.name, label)]));
  const child = startChild(files, user, home, options);
  const output = collectOutput(child);
  const limit = KINDS[files[0]?.kind ?? 'unit'].limit * (options.long ? 10 : 1);
  const late = setTimeout(() => endGroup(child), limit * 1000);
  await readMessages(child, results);
  const status = await ended(child);
  clearTimeout(late);
  for (const result of results.values()) closeResult(result, status, limit, output());
  return [...results.values()];
}

function startChild(
  files: readonly TestFile[],
  user: TestUser,
  home: string,
  options: RunOptions,
): ChildProcess {
  const script = join(options.root, 'test/support/runner/child.ts');
  const child = spawn(options.node, ['--import', 'tsx', script, ...files.map(f => f.path)], {
    cwd: options.root,
    env: {
      ...sealedEnv(home, user.name),
      TSBOX_TEST_HOME: home,
      // one place for a user's files: tsx keeps what it has compiled there
      TMPDIR: join(user.dir, 'tmp'),
      ...(options.long ? { TSBOX_TEST_LONG: '1' } : {}),
      ...(options.exe === undefined ? {} : { TSBOX_TEST_BIN: options.exe }),
    },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true, // a process group that can be ended as a whole, and no terminal to read from
    ...(user.ours ? { uid: user.uid, gid: user.gid } : {}),
  });
  options.onSpawn(child);
  return child;
}

/** Keeps the last 8 KiB of what the process prints: uvu's dots, and whatever a crash says. */
function collectOutput(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-8192);
    });
  }
  return () => text;
}

async function readMessages(child: ChildProcess, results: Map<string, FileResult>): Promise<void> {
  const channel = child.stdio[3] as NodeJS.ReadableStream;
  let last = Date.now();
  for await (const line of createInterface({ input: channel })) {
    const message = JSON.parse(line) as ChildMessage;
    const result = results.get(message.file) ?? results.values().next().value;
    if (result === undefined) continue;
    take(result, message);
    if (message.type !== 'done') continue;
    result.duration = Date.now() - last;
    last = Date.now();
  }
}

function take(result: FileResult, message: ChildMessage): void {
  switch (message.type) {
    case 'suite':
      result.passed += message.passed;
      result.failed += message.failed;
      if (message.failed > 0) result.problems.push(message.errors);
      break;
    case 'skip':
      result.skips.push(message);
      break;
    case 'note':
      result.notes.push(message.text);
      break;
    case 'crash':
      result.failed++;
      result.problems.push(message.text);
      break;
    case 'done':
      result.finished = true;
  }
}

function closeResult(result: FileResult, status: string, limit: number, output: string): void {
  if (result.finished) return;
  result.failed++;
  result.problems.push(`the test process ended early (${status}; limit ${limit} s)\n${output}`);
}

function ended(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(describeEnd(child));
    child.once('error', error => resolve(error.message));
    child.once('exit', () => resolve(describeEnd(child)));
  });
}

const describeEnd = (child: ChildProcess): string =>
  child.signalCode ? `signal ${child.signalCode}` : `status ${child.exitCode}`;

/** Ends the whole process group of a test process. */
export function endGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {} // it ended by itself in this moment
}
