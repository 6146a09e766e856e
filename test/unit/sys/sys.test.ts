import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hasErrno } from '../../../src/errors.ts';
import { SysError } from '../../../src/sys/error.ts';
import { tryFlock, waitFlock } from '../../../src/sys/flock.ts';
import { makeFifo, makeWhiteout } from '../../../src/sys/mknod.ts';
import { syncFileSystem } from '../../../src/sys/syncfs.ts';
import { setFdTimes, setPathTimes } from '../../../src/sys/utimens.ts';
import { getXattr, listXattr, removeXattr, setXattr } from '../../../src/sys/xattr.ts';
import { within } from '../../support/within.ts';

const test = suite<{ dir: string; file: string }>('sys');

test.before.each(context => {
  context.dir = mkdtempSync(join(tmpdir(), 'tsbox-sys-'));
  context.file = join(context.dir, 'file');
  writeFileSync(context.file, 'x');
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

function sysError(work: () => unknown): SysError {
  try {
    work();
  } catch (error) {
    assert.instance(error, SysError);
    return error as SysError;
  }
  assert.unreachable();
  throw new Error();
}

test('an error names call, errno and path, and is told apart like those of Node', ({ file }) => {
  const error = sysError(() => makeFifo(file, 0o600));
  assert.is(error.syscall, 'mknod');
  assert.is(error.code, 'EEXIST');
  assert.is(error.errno, 17);
  assert.is(error.path, file);
  assert.ok(hasErrno(error, 'EEXIST'));
  assert.match(error.message, /^EEXIST: mknod '/);
});

test('a NUL cannot cut a path short', ({ dir, file }) => {
  for (const call of [
    () => makeFifo(`${dir}/a\0b`, 0o600),
    () => makeWhiteout(Buffer.from(`${dir}/a\0`)),
    () => setXattr(`${file}\0x`, 'user.a', Buffer.alloc(0)),
    () => setXattr(file, 'user.a\0b', Buffer.alloc(0)),
    () => getXattr(`${file}\0`, 'user.a'),
    () => setPathTimes(`${file}\0`, 0, 0),
  ]) {
    assert.is(sysError(call).code, 'EINVAL');
  }
});

test('FIFOs, with names of any bytes', ({ dir }) => {
  const path = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0xff, 0xe9])]);
  makeFifo(path, 0o600);
  assert.ok(lstatSync(path).isFIFO());
});

test('whiteouts, or the reason why not', ({ dir }) => {
  const path = join(dir, 'w');
  try {
    makeWhiteout(path);
    const stat = lstatSync(path);
    assert.ok(stat.isCharacterDevice());
    assert.is(stat.rdev, 0);
  } catch (error) {
    assert.ok(hasErrno(error, 'EPERM'));
  }
});

test('extended attributes: any bytes, absent, listed, of the link itself', ({ dir, file }) => {
  const value = Buffer.from([0, 1, 255, 0]);
  assert.is(getXattr(file, 'user.a'), undefined);
  setXattr(file, 'user.a', value);
  setXattr(file, 'user.empty', Buffer.alloc(0));
  assert.equal(getXattr(file, 'user.a'), value);
  assert.equal(getXattr(file, 'user.empty'), Buffer.alloc(0));
  assert.equal(
    listXattr(file)
      .filter(n => n.startsWith('user.'))
      .sort(),
    ['user.a', 'user.empty'],
  );
  const link = join(dir, 'link');
  symlinkSync('file', link);
  assert.is(getXattr(link, 'user.a'), undefined);
  assert.is(sysError(() => setXattr(link, 'user.a', value)).code, 'EPERM');
  assert.is(sysError(() => getXattr(join(dir, 'none'), 'user.a')).code, 'ENOENT');
});

test('times to the nanosecond, before 1970, of a link itself', ({ dir, file }) => {
  const fd = openSync(file, 'r');
  for (const [seconds, nanoseconds] of [
    [0, 0],
    [1, 1],
    [1234567890, 999999999],
    [-1, 5],
    [4294967296, 7],
  ] as const) {
    setFdTimes(fd, seconds, nanoseconds);
    assert.is(
      fstatSync(fd, { bigint: true }).mtimeNs,
      BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds),
    );
  }
  closeSync(fd);
  const link = join(dir, 'link');
  symlinkSync('nowhere', link);
  setPathTimes(link, 10, 20);
  assert.is(lstatSync(link, { bigint: true }).mtimeNs, 10_000_000_020n);
  assert.is(sysError(() => setPathTimes(file, 0, 2_000_000_000)).code, 'EINVAL');
});

test('extended attributes go away again', async ({ file }) => {
  setXattr(file, 'user.t', Buffer.from('x'));
  removeXattr(file, 'user.t');
  assert.is(getXattr(file, 'user.t'), undefined);
  assert.is(sysError(() => removeXattr(file, 'user.t')).code, 'ENODATA');
});

test('a whole file system can be synced', async ({ file }) => {
  const fd = openSync(file, 'r');
  await within(60_000, syncFileSystem(fd));
  closeSync(fd);
  const failed = await syncFileSystem(999_999).catch((error: SysError) => error.syscall);
  assert.is(failed, 'syncfs');
});

test('locks: shared together, exclusive alone, a wait ends with the holder', async ({ file }) => {
  const [a, b] = [openSync(file, 'r'), openSync(file, 'r')];
  assert.ok(tryFlock(a, 'shared'));
  assert.ok(tryFlock(b, 'shared'));
  assert.not.ok(tryFlock(b, 'exclusive'));
  closeSync(a);
  assert.ok(tryFlock(b, 'exclusive'));
  const c = openSync(file, 'r');
  const waiting = waitFlock(c, 'exclusive');
  closeSync(b);
  await within(5000, waiting);
  closeSync(c);
  assert.is(sysError(() => tryFlock(999_999, 'shared')).code, 'EBADF');
});

test.run();
