// run as: single
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { TSBOX } from '../support/cli.ts';
import { escapeSuite, type Scene } from '../support/escape.ts';
import { note } from '../support/note.ts';
import { type Outside, outsidePaths, STRACE } from '../support/outside-paths.ts';

/**
 * Whatever is done from outside to a path in a container's root goes through descriptors: read off the system calls themselves. The user
 * has no subordinate ids because newuidmap has no rights under strace; the driver is overlay, as fuse-overlayfs is a program of its own.
 */
const test = escapeSuite(['descriptor-based set-up'], {
  drivers: 'any',
  needs: ['overlay', 'strace', 'user'],
});

function traced({ box, dir }: Scene, ...args: string[]): Outside {
  const out = join(dir, 'trace');
  const done = spawnSync('strace', [...STRACE, '-o', out, TSBOX, ...args], {
    env: { ...box.home.env },
    cwd: dir,
    encoding: 'utf8',
  });
  assert.is(done.status, 0, done.stderr);
  return outsidePaths(readFileSync(out, 'utf8'));
}

test('the judge sees paths, and spares descriptors', async () => {
  const root = `/s/containers/${'a'.repeat(64)}/merged`;
  const layer = `/s/layers/${'b'.repeat(64)}/fs`;
  const bad = [
    `1 openat(AT_FDCWD</s>, "${root}/etc/passwd", O_RDONLY) = 3`,
    `1 openat(AT_FDCWD</s>, "containers/${'a'.repeat(64)}/merged/etc", O_RDONLY|O_NOFOLLOW) = 3`,
    `1 openat(5<${root}>, "etc", O_RDONLY) = 3`,
    `1 openat(5<${root}>, "etc/passwd", O_RDONLY|O_NOFOLLOW) = 3`,
    `1 openat(5<${root}/etc>, "..", O_RDONLY|O_NOFOLLOW) = 3`,
    `1 mount("proc", "${root}/proc", "proc", 0, NULL) = 0`,
    `1 statx(AT_FDCWD</s>, "${layer}/etc/passwd", AT_STATX_SYNC_AS_STAT, STATX_ALL, {}) = 0`,
    `1 access("${layer}/bin/sh", X_OK) = 0`,
  ];
  for (const line of bad) assert.is(outsidePaths(line).byPath.length, 1, line);
  const good = [
    `1 openat(AT_FDCWD</s>, "${root}", O_PATH) = 3`,
    `1 openat(5<${root}>, "etc", O_PATH|O_NOFOLLOW) = 3`,
    `1 mkdirat(5<${root}/etc>, "x", 0755) = 0`,
    `1 open_tree(5<${root}/etc>, "", AT_EMPTY_PATH) = 6`,
    `1 pivot_root(".", ".") = 0\n1 openat(AT_FDCWD</s>, "${root}/etc/passwd", O_RDONLY) = 3`,
  ];
  for (const line of good) assert.equal(outsidePaths(line).byPath, [], line);
});

test('run with mounts, a working directory and a user; start, exec, cp and rm', async scene => {
  const flags = ['--network', 'none', '--storage-driver', 'overlay'];
  const more = [
    '-v',
    `${scene.dir}:/v/in/side`,
    '-v',
    '/anonymous',
    '--tmpfs',
    '/t/m',
    '-w',
    '/w/deep',
    '-u',
    'root',
    '--read-only',
  ];
  const id = await scene.start('busybox', 'sleep', '1000');
  const made = await scene.box.ok('create', ...flags, '-v', '/x', 'busybox', 'true');
  const traces = {
    run: traced(scene, 'run', '--rm', ...flags, ...more, 'busybox', 'true'),
    start: traced(scene, 'start', '-a', made),
    exec: traced(scene, 'exec', '-w', '/tmp', '-u', 'root', id, 'true'),
    'cp to': traced(scene, 'cp', '/etc/hostname', `${id}:/etc/copied`),
    'cp from a stopped one': traced(scene, 'cp', `${made}:/etc/passwd`, join(scene.dir, 'p')),
    diff: traced(scene, 'diff', id),
    rm: traced(scene, 'rm', '-v', made),
  };
  for (const [name, { byPath }] of Object.entries(traces)) assert.equal(byPath, [], name);
  assert.ok(traces.run.byDescriptor > 50, `${traces.run.byDescriptor} calls by descriptor`);
  note(
    `calls by descriptor: ${Object.entries(traces)
      .map(([name, t]) => `${name} ${t.byDescriptor}`)
      .join(', ')}`,
  );
});

test.run();
