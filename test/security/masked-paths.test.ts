import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HOST_SYS_MASKED_PATHS, MASKED_PATHS, READONLY_PATHS } from '../../src/runtime/hardening.ts';
import { makeCanary } from '../support/canary.ts';
import { busyboxImage, dockerArchive, layerWith } from '../support/images.ts';
import { busybox, removeContainers, sh } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** What of the kernel's file systems a container sees. */
const test = requires(suite('masked paths'), 'userns', 'busybox');
test.after.each(removeContainers);

test('masked paths are empty: files read as nothing, directories list nothing, writing fails', async () => {
  for (const path of MASKED_PATHS) {
    const look = `if test -d ${path}; then ls -A ${path}; touch ${path}/x 2>/dev/null && echo written; elif test -e ${path}; then head -c 100 ${path}; fi; true`;
    assert.is(await sh(look), '', path);
  }
});

test('read-only paths cannot be written, not even remounted', async () => {
  for (const path of READONLY_PATHS) {
    const attempt = `if test -d ${path}; then f=$(find ${path} -type f 2>/dev/null | head -1); else f=${path}; fi; test -z "$f" || { echo 0 > $f; } 2>/dev/null && test -n "$f" && echo written; mount -o remount,rw ${path} 2>/dev/null && echo remounted; true`;
    assert.is(await sh(attempt), '', path);
  }
});

test('/sys and the cgroup tree are read-only (CVE-2023-25809)', async () => {
  const attempt =
    '(touch /sys/x && echo written; mkdir /sys/fs/cgroup/x && echo made; echo $$ > /sys/fs/cgroup/cgroup.procs && echo moved) 2>/dev/null; echo end';
  assert.is(await sh(attempt), 'end');
  assert.is(await sh(attempt, '--cap-add', 'SYS_ADMIN'), 'end');
});

test("with the machine's network, its /sys shows no more", async () => {
  for (const path of HOST_SYS_MASKED_PATHS) {
    const out = await (await busybox()).ok(
      'run',
      '--rm',
      '--network',
      'host',
      'busybox',
      'sh',
      '-c',
      `ls -A ${path} 2>/dev/null; mkdir ${path}/x 2>/dev/null && echo made; true`,
    );
    assert.is(out, '', path);
  }
});

/** An image whose layer is put over busybox. */
async function hostile(name: string, files: Parameters<typeof layerWith>[0]) {
  const box = await busybox();
  const base = busyboxImage();
  const image = { ...base, layers: [...base.layers, layerWith(files)] };
  await box.ok('load', '-i', dockerArchive(image, `${name}:latest`, join(box.home.dir, `${name}.tar`)));
  return box;
}

test('/dev/null of an image as a link to a kernel file: the kernel file is not what masks (CVE-2025-31133)', async () => {
  const box = await hostile('evil-null', { 'dev/null': { link: '/proc/sys/kernel/core_pattern' } });
  const done = await box(
    'run',
    '--rm',
    '--network',
    'none',
    'evil-null',
    'sh',
    '-c',
    'echo pwned > /proc/kcore 2>/dev/null; test -c /dev/null && cat /proc/keys /proc/timer_list; ls -l /dev/null',
  );
  if (done.code === 0) assert.match(done.stdout, /^c/, done.stdout);
  else assert.match(done.stderr, /\S/);
  assert.not.match(await sh('cat /proc/sys/kernel/core_pattern'), /pwned/);
});

test('/dev of an image as a link out: nothing appears there (CVE-2026-47766, CVE-2026-41579)', async () => {
  const { home } = await busybox();
  const canary = makeCanary(mkdtempSync(join(home.dir, 'dev-')));
  for (const [i, link] of [canary.dir, `../../../../../../..${canary.dir}`].entries()) {
    const box = await hostile(`evil-dev-${i}`, { dev: { link } });
    await box('run', '--rm', '--network', 'none', `evil-dev-${i}`, 'true');
    canary.assertUntouched();
  }
});

test('/proc and /sys of an image as links out: nothing is mounted there', async () => {
  const { home } = await busybox();
  const canary = makeCanary(mkdtempSync(join(home.dir, 'proc-')));
  for (const name of ['proc', 'sys']) {
    const box = await hostile(`evil-${name}`, { [name]: { link: canary.dir } });
    await box('run', '--rm', '--network', 'none', `evil-${name}`, 'true');
    canary.assertUntouched();
  }
});

test('/etc/resolv.conf and /etc/hosts of an image as links to a file outside: it is not written (CVE-2025-9566)', async () => {
  const { home } = await busybox();
  const canary = makeCanary(mkdtempSync(join(home.dir, 'etc-')));
  const target = join(canary.dir, 'file');
  const box = await hostile('evil-etc', {
    'etc/resolv.conf': { link: target },
    'etc/hosts': { link: `../../../../../../..${target}` },
    'etc/hostname': { link: '/proc/self/cwd/../../../etc/hostname' },
  });
  await box(
    'run',
    '--rm',
    '--network',
    'none',
    'evil-etc',
    'sh',
    '-c',
    'echo pwned > /etc/resolv.conf; echo pwned > /etc/hosts',
  );
  canary.assertUntouched();
});

test('a volume over /proc with links inside: settings of the kernel do not land in it (CVE-2025-52881)', async () => {
  const box = await busybox();
  const dir = mkdtempSync(join(box.home.dir, 'fakeproc-'));
  const target = join(dir, 'caught');
  writeFileSync(target, '');
  symlinkSync('caught', join(dir, 'sysrq-trigger'));
  const done = await box('run', '--rm', '--network', 'none', '-v', `${dir}:/proc`, 'busybox', 'true');
  assert.ok(done.code === 0 || done.stderr !== '');
  assert.is(readFileSync(target, 'utf8'), '');
});

test.run();
