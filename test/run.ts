import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureArm64 } from './support/arm64.ts';
import { ensureDebianRootfs, ensureServersRootfs } from './support/debian.ts';
import { endGroup } from './support/runner/file.ts';
import { discover } from './support/runner/kinds.ts';
import { runLanes } from './support/runner/lanes.ts';
import type { FileResult } from './support/runner/protocol.ts';
import { printEnd, printFile } from './support/runner/report.ts';
import { passesOf, singleFile } from './support/runner/single-file.ts';
import { removeTree, stageFor, workBase } from './support/runner/tree.ts';
import { makeUser, removeUser, selfUser, type TestUser } from './support/runner/users.ts';
import { ensureKernel } from './support/vm/kernel.ts';

/**
 * The one test runner: `npm test [-- FILTER…] [--long] [--exe]`. A filter is a kind (`unit`), a folder (`unit/oci`) or a part of a
 * file's name. Root's tests run as two users made for the purpose; anybody else's run as they are. --exe: against the single-file
 * executable (`npm run build:exe`); --long does that with all of e2e, too, after the rest.
 *
 * TSBOX_TEST_KEEP=1 keeps the home of a failed test file. CI=true makes a skip that this machine could avoid a failure.
 * The last line is `N passed, N failed, N skipped`.
 */
const testDir = dirname(fileURLToPath(import.meta.url));
const args = process.argv.slice(2);
const onlyExe = args.includes('--exe');
const long = args.includes('--long') || Boolean(process.env.TSBOX_TEST_LONG);
const files = discover(
  testDir,
  args.filter(a => !a.startsWith('-')),
);
const keep = Boolean(process.env.TSBOX_TEST_KEEP);
const workDir = mkdtempSync(join(workBase(), 'tsbox-t'));
const users: TestUser[] = [];
const children = new Set<ChildProcess>();

function setUp(): void {
  chmodSync(workDir, 0o711); // each user finds its own directory and cannot list the others
  users.push(selfUser(workDir));
  const needs = (need: string): boolean =>
    files.some(f => readFileSync(f.path, 'utf8').includes(`'${need}'`));
  if (long && needs('qemu-arm64')) complain(ensureArm64(dirname(testDir)));
  if (users[0]?.account !== 'root') return;
  if (needs('debian')) complain(ensureDebianRootfs());
  if (needs('debian-servers')) complain(ensureServersRootfs());
  if (long && needs('kernel')) complain(ensureKernel());
  for (const account of ['ranges', 'single'] as const) {
    if (files.some(f => f.accounts.includes(account))) users.push(makeUser(account, workDir));
  }
}

function complain(problem: string | undefined): void {
  if (problem) process.stderr.write(`${problem}\n`);
}

function tearDown(failed: boolean): void {
  for (const child of children) endGroup(child);
  for (const user of users.splice(0)) {
    if (failed && keep) continue;
    removeUser(user);
  }
  if (failed && keep) process.stdout.write(`kept: ${workDir} and its users\n`);
  else if (!removeTree(workDir)) process.stderr.write(`cannot remove ${workDir}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    tearDown(false);
    process.exit(130);
  });
}

async function runAll(): Promise<FileResult[]> {
  setUp();
  const stage = stageFor(users, dirname(testDir), workDir);
  const moved = files.map(f => ({ ...f, path: join(stage.root, 'test', f.name) }));
  const onSpawn = (child: ChildProcess): void => {
    children.add(child.once('exit', () => children.delete(child)));
  };
  const results: FileResult[] = [];
  for (const { files, ...exe } of passesOf(moved, stage.root, { only: onlyExe, also: long }))
    results.push(...(await runLanes(files, users, { ...stage, ...exe, long, keep, onSpawn }, printFile)));
  return results;
}

let results: FileResult[] = [];
try {
  results = await runAll();
} finally {
  tearDown(results.length === 0 || results.some(r => r.failed > 0));
}
if (results.length === 0) process.stdout.write('no test file matches\n');
if (long && !onlyExe && files.some(f => f.kind === 'e2e') && !existsSync(singleFile(dirname(testDir))))
  process.stdout.write('e2e has not run against the single file: npm run build:exe makes it\n');
const totals = printEnd(results, process.env.CI === 'true');
process.exit(totals.failed > 0 || results.length === 0 ? 1 : 0);
