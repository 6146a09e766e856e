import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { helperPath } from '../../src/host/binaries.ts';
import { singleMaps } from '../../src/host/idmap.ts';
import { CLONE } from '../../src/plan/flags.ts';
import { ops } from '../../src/plan/ops.ts';
import { ALL_CAPABILITIES } from '../../src/runtime/capabilities.ts';
import { enter } from '../../src/runtime/enter.ts';
import { defaultFilter, emulationFilter } from '../../src/runtime/seccomp.ts';
import { syscallNumber } from '../support/bpf-eval.ts';
import { collect } from '../support/cli.ts';
import { requires } from '../support/requires.ts';
import { PROJECT } from '../support/source.ts';
import { within } from '../support/within.ts';

/** The filters in the kernel: a process of ours has one, makes system calls and says what came of them. */
const test = requires(suite('seccomp in the kernel'), 'userns');

const [OK, EPERM, ENOENT, EFAULT, EINVAL, ENOTTY, ENOSYS] = [-1, 1, 2, 14, 22, 25, 38];
type Call = readonly [name: string, ...args: (number | string)[]];

const abi = process.arch === 'arm64' ? 'arm64' : 'x64';
const PROBE = join(PROJECT, 'test/support/syscalls.mjs');

async function probe(
  filter: Uint8Array | undefined,
  calls: readonly Call[],
): Promise<{ uid: number; results: number[] }> {
  const numbered = calls.map(([name, ...args]) => [
    /^\d+$/.test(name) ? Number(name) : syscallNumber(abi, name),
    ...args,
  ]);
  const { uid, gid } = userInfo();
  const { child, result } = enter(
    { helper: helperPath(), cwd: PROJECT, maps: singleMaps(uid, gid) },
    [
      ...(filter ? [ops.nonewprivs('the filter stays'), ops.seccomp(filter, 'under test')] : []),
      ops.env(['PATH=/usr/bin:/bin'], 'clean'),
      ops.exec(process.execPath, ['node', PROBE, JSON.stringify(numbered)], 'makes the calls'),
    ],
    { name: 'seccomp-test' },
  );
  const [stdout, stderr] = [collect(child.stdout as Readable), collect(child.stderr as Readable)];
  assert.is(await within(15_000, result, 'the probe'), 0, stderr());
  return JSON.parse(stdout());
}

const TIOCSTI = 0x5412;
const NEWNS_NEWUSER = CLONE.NEWNS | CLONE.NEWUSER;

/** Each of them does something else, or fails otherwise, without the filter: that is tested, too. */
const refused: [Call, number][] = [
  [['unshare', NEWNS_NEWUSER], EPERM],
  [['setns', 0, 0], EPERM],
  [['clone', NEWNS_NEWUSER | 17, 0, 0, 0, 0], EPERM],
  [['clone3', 0, 0], ENOSYS],
  [['mount', 'none', '/nowhere', 'tmpfs', 0, 0], EPERM],
  [['fsopen', 'tmpfs', 0], EPERM],
  [['io_uring_setup', 0, 0], EPERM],
  [['personality', 0x0040000], EPERM],
  [['socket', 38, 5, 0], EPERM],
  [['socket', 40, 1, 0], EPERM],
  [['ioctl', 0, TIOCSTI, '!'], EPERM],
  [['ioctl', 0, 2 ** 32 + TIOCSTI, '!'], EPERM],
  [['ioctl', 0, 0x541c, '\x02'], EPERM],
  [['keyctl', 0, -2, 0], EPERM],
  [['process_madvise', -1, 0, 0, 0, 0], EPERM],
  [['999'], ENOSYS],
];

test('the default filter refuses what it is there to refuse', async () => {
  const { results } = await probe(
    await defaultFilter(),
    refused.map(([call]) => call),
  );
  for (const [i, [call, errno]] of refused.entries()) assert.is(results[i], errno, call.join(' '));
});

test('without it, the kernel answers otherwise: the table tests something', async () => {
  // Calls that would change the probe itself are left out.
  const harmless = refused.filter(([[name]]) => !['unshare', 'clone', '999', 'socket'].includes(name));
  const { results } = await probe(
    undefined,
    harmless.map(([call]) => call),
  );
  for (const [i, [call, errno]] of harmless.entries()) assert.is.not(results[i], errno, call.join(' '));
});

test('ordinary calls work: files, sockets, threads (node itself runs under it)', async () => {
  const calls: Call[] = [
    ['socket', 2, 1, 0],
    ['socket', 1, 1, 0],
    ['socket', 16, 3, 0],
    ['personality', 0xffffffff],
    ['getpid'],
    ['ioctl', 0, 0x5401, 0],
    ['openat', -100, '/no/such/file', 0],
  ];
  const { results } = await probe(await defaultFilter(), calls);
  assert.equal(results, [OK, OK, OK, OK, OK, ENOTTY, ENOENT]);
});

test("with CAP_SYS_ADMIN mounting is the kernel's business; terminal injection and io_uring stay out", async () => {
  const { results } = await probe(await defaultFilter({ caps: ALL_CAPABILITIES }), [
    ['mount', 'none', '/nowhere', 'tmpfs', 0, 0],
    ['clone3', 0, 0],
    ['ioctl', 0, TIOCSTI, '!'],
    ['io_uring_setup', 0, 0],
  ]);
  assert.equal(results, [ENOENT, EINVAL, EPERM, EPERM]);
});

const dir = mkdtempSync(join(tmpdir(), 'tsbox-seccomp-'));
test.after(() => rmSync(dir, { recursive: true, force: true }));

for (const [name, make] of [
  ['with the default profile', () => defaultFilter({ rootEmulation: true })],
  ['alone', () => emulationFilter()],
] as const) {
  test(`root emulation ${name}: success without effect, and the truth where there is one`, async () => {
    const file = join(dir, `file-${name}`);
    writeFileSync(file, '');
    const before = statSync(file);
    const calls: [Call, number][] = [
      [['fchownat', -100, file, 42, 42, 0], OK],
      [['fchownat', -100, file, 0, 0, 0], OK],
      [['fchownat', -100, `${file}-missing`, 42, 42, 0], OK],
      [['fchownat', -100, `${file}-missing`, 0, -1, 0], ENOENT],
      [['setgroups', 1, 0], OK],
      [['setresgid', 42, 42, 42], OK],
      [['setresuid', 42, 42, 42], OK],
      [['setuid', 0], OK],
      [['mknodat', -100, `${file}-dev`, 0o020666, 0x103], OK],
      [['mknodat', -100, `${file}-fifo`, 0o010666, 0], OK],
      [['mknodat', -100, `${file}-whiteout`, 0o020000, 0], OK],
    ];
    const { uid, results } = await probe(
      await make(),
      calls.map(([call]) => call),
    );
    for (const [i, [call, errno]] of calls.entries()) assert.is(results[i], errno, call.join(' '));
    assert.is(uid, 0, 'nobody became anybody else');
    assert.is(statSync(file).uid, before.uid);
    assert.is(statSync(file).gid, before.gid);
    assert.not.ok(existsSync(`${file}-dev`));
    assert.ok(statSync(`${file}-fifo`).isFIFO());
    assert.is(statSync(`${file}-whiteout`).rdev, 0);
  });
}

test('without emulation, the same calls fail: there is something to emulate', async () => {
  const { results } = await probe(await defaultFilter(), [
    ['fchownat', -100, dir, 42, 42, 0],
    ['setgroups', 1, 0],
    ['setresuid', 42, 42, 42],
    ['mknodat', -100, join(dir, 'dev'), 0o020666, 0x103],
  ]);
  assert.ok(
    results.every(errno => [EPERM, EINVAL, EFAULT].includes(errno)),
    `${results}`,
  );
});

test.run();
