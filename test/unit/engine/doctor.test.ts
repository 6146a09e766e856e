import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { doctor, STEPS } from '../../../src/engine/doctor.ts';
import { FINDINGS } from '../../../src/engine/doctor-codes.ts';
import { TsboxError } from '../../../src/errors.ts';
import { defaultConfig } from '../../../src/host/config.ts';
import { openPaths } from '../../../src/host/paths.ts';
import { silentReporter } from '../../../src/log.ts';

const test = suite('engine/doctor');

/** Every check on a machine whose helper is `program`. */
async function doctorWith(program: string, only: readonly string[] = []) {
  const dir = mkdtempSync(join(tmpdir(), 'tsbox-doctor-'));
  const before = process.env.TSBOX_HELPER;
  process.env.TSBOX_HELPER = program;
  try {
    const paths = await openPaths(defaultConfig(), {
      root: join(dir, 'store'),
      runtimeDir: join(dir, 'run'),
    });
    const engine = { config: defaultConfig(), paths, reporter: silentReporter, signal: undefined };
    const checks = await doctor(engine, only);
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
    assert.is(
      checks.find(c => c.id === 'helper')?.code,
      program.startsWith('/non') ? 'helper-missing' : 'helper-broken',
    );
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
      'landlock',
      'store',
      'overlay',
      'fuse',
      'fuse-overlayfs',
      'tun',
      'slirp4netns',
      'pasta',
      'uplink',
      'filter',
      'ports',
      'cgroup',
      'linger',
    ],
  );
  for (const check of checks)
    assert.not.match(check.detail + (check.hint ?? '') + (check.meaning ?? ''), /\n/);
  for (const check of checks)
    assert.match(
      check.code,
      check.status === 'ok' || check.status === 'skip' ? check.id : /^[a-z0-9]+(-[a-z0-9]+)+$/,
    );
});

test('the checks that are asked for, with what they stand on but not showing it', async () => {
  const ids = async (...only: string[]) =>
    (await doctorWith('/bin/false', only)).map(c => `${c.id} ${c.status}`);
  assert.equal(await ids('proc'), ['proc skip']);
  assert.equal(await ids('node', 'node-old'), ['node ok']);
  assert.equal(await ids('userns-apparmor'), ['userns skip', 'mount skip']);
  let refused: unknown;
  await doctorWith('/bin/false', ['tun-close']).catch(error => (refused = error));
  assert.ok(refused instanceof TsboxError && refused.code === 'USAGE');
  assert.match((refused as TsboxError).hint ?? '', /did you mean tun-closed/);
});

test('every finding belongs to steps that there are, and every step can find something', () => {
  const ids = STEPS.map(step => step.id);
  for (const [code, { checks }] of Object.entries(FINDINGS))
    for (const id of checks) assert.ok(ids.includes(id), `${code}: ${id}`);
  const found = new Set(Object.values(FINDINGS).flatMap(({ checks }) => checks));
  assert.equal(
    ids.filter(id => !found.has(id)),
    [],
  );
  for (const step of STEPS) assert.ok(FINDINGS[step.otherwise].checks.includes(step.id), step.id);
});

test.run();
