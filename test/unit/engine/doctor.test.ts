import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { doctor } from '../../../src/engine/doctor.ts';
import { defaultConfig } from '../../../src/host/config.ts';
import { openPaths } from '../../../src/host/paths.ts';
import { silentReporter } from '../../../src/log.ts';

const test = suite('engine/doctor');

/** Every check on a machine whose helper is `program`. */
async function doctorWith(program: string) {
  const dir = mkdtempSync(join(tmpdir(), 'tsbox-doctor-'));
  const before = process.env.TSBOX_HELPER;
  process.env.TSBOX_HELPER = program;
  try {
    const paths = await openPaths(defaultConfig(), {
      root: join(dir, 'store'),
      runtimeDir: join(dir, 'run'),
    });
    const checks = await doctor({
      config: defaultConfig(),
      paths,
      reporter: silentReporter,
      signal: undefined,
    });
    assert.equal(readdirSync(paths.tmp), [], 'nothing is left of the trials');
    return checks;
  } finally {
    if (before === undefined) delete process.env.TSBOX_HELPER;
    else process.env.TSBOX_HELPER = before;
    rmSync(dir, { recursive: true, force: true });
  }
}

for (const program of ['/bin/false', '/bin/echo', '/nonexistent/helper', '/etc/passwd']) {
  test(`a helper that is none: ${program}`, async () => {
    const checks = await doctorWith(program);
    const status = Object.fromEntries(checks.map(c => [c.id, c.status]));
    assert.is(status.helper, 'fail');
    for (const id of ['userns', 'idmap', 'mount', 'proc', 'pivot_root', 'seccomp', 'overlay'])
      assert.is(status[id], 'skip', id);
    assert.is(status.node, 'ok', 'what does not need it is checked all the same');
    assert.is(checks.find(c => c.id === 'proc')?.detail, 'waits for mount');
    assert.is(checks.find(c => c.id === 'mount')?.detail, 'waits for userns');
  });
}

test('ids are stable names, each once, and every problem is one line', async () => {
  const checks = await doctorWith('/bin/false');
  assert.equal(
    checks.map(c => c.id),
    [
      'node',
      'kernel',
      'helper',
      'userns',
      'idmap',
      'mount',
      'namespaces',
      'proc',
      'pivot_root',
      'seccomp',
      'store',
      'overlay',
      'fuse',
      'fuse-overlayfs',
      'tun',
      'slirp4netns',
      'ports',
      'cgroup',
      'linger',
    ],
  );
  for (const check of checks) assert.not.match(check.detail + (check.hint ?? ''), /\n/);
});

test.run();
