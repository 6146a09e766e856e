import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CgroupFacts } from '../../../src/cgroup/driver.ts';
import { none } from '../../../src/cgroup/none.ts';
import type { Selected } from '../../../src/cgroup/select.ts';
import { systemd } from '../../../src/cgroup/systemd.ts';
import { isolationAnnotations } from '../../../src/engine/isolation.ts';
import { strictProblems } from '../../../src/engine/strict.ts';
import { ANNOTATION } from '../../../src/oci/runtime-spec.ts';
import type { ContainerRecord } from '../../../src/store/container-record.ts';
import { recordOf } from '../../support/container-store.ts';

/** Every question of --strict, on a machine that has everything; real starts are in e2e/strict and in contract/cgroup. */
const test = suite('engine/strict');

const FACTS: CgroupFacts = {
  layout: 'v2',
  mount: '/sys/fs/cgroup',
  own: '/sys/fs/cgroup/user',
  controllers: [],
  delegated: false,
  userBus: undefined,
  systemd: true,
};
const GROUP: Selected = {
  driver: systemd,
  probe: { ok: true, controllers: ['cpu', 'memory', 'pids'] },
  refused: [],
};
const NONE: Selected = { driver: none, probe: { ok: true, controllers: [] }, refused: [] };
const strict = (
  changes: Partial<ContainerRecord>,
  mode: 'ranges' | 'single' = 'ranges',
  group: Selected = GROUP,
) => strictProblems(recordOf({ strict: true, noNewPrivileges: true, ...changes }), { mode }, group, FACTS);
const problems = (...args: Parameters<typeof strict>) => strict(...args).problems;

test('where nothing is missing or given away it starts', () => assert.equal(problems({}), []));

const FLAGS: readonly [string, Partial<ContainerRecord>][] = [
  ['--privileged', { privileged: true }],
  ['--cap-add SYS_ADMIN', { capAdd: ['SYS_ADMIN'] }],
  ['--cap-add SYS_ADMIN', { capAdd: ['ALL'] }],
  ['--security-opt seccomp=unconfined', { seccomp: 'unconfined' }],
  ['--security-opt systempaths=unconfined', { systemPaths: 'unconfined' }],
  ['--security-opt userns=allow', { nestedUserns: true }],
  ['--security-opt no-new-privileges=false', { noNewPrivileges: false }],
  ['--ulimit core', { ulimits: [{ name: 'core', soft: -1, hard: -1 }] }],
  ['--ulimit core', { ulimits: [{ name: 'core', soft: 0, hard: 0 }] }],
  ['--network host', { network: { driver: 'host' } as ContainerRecord['network'] }],
  ['--pid host', { namespaces: { pid: 'host' } }],
  ['--ipc host', { namespaces: { ipc: 'host' } }],
  ['--uts host', { namespaces: { uts: 'host' } }],
  ['--pid container:', { namespaces: { pid: 'container:abc' } }],
  ['--ipc container:', { namespaces: { ipc: 'container:abc' } }],
  ['--cgroupns host', { namespaces: { cgroup: 'host' } }],
];
for (const [flag, changes] of FLAGS)
  test(`${flag} ${JSON.stringify(Object.values(changes)[0])} gives a wall away`, () =>
    assert.equal(problems(changes), [`${flag} gives a wall away`]));

test('what takes nothing away is no problem', () => {
  assert.equal(problems({ ulimits: [{ name: 'core', soft: 1, hard: 1 }] }), []);
  assert.equal(problems({ ulimits: [{ name: 'nofile', soft: 10, hard: 10 }], capDrop: ['ALL'] }), []);
});

test('one user id, no control group, a control group without the controllers that count: what doctor says of it', () => {
  const single = strict({}, 'single');
  assert.match(single.problems.join(), /^there is one user id/);
  assert.is(single.check, 'subid-missing');
  const alone = strict({}, 'ranges', NONE);
  assert.match(alone.problems.join(), /^no control group is delegated/);
  assert.ok(alone.check);
  const io = strict({}, 'ranges', { ...GROUP, probe: { ok: true, controllers: ['io', 'memory'] } });
  assert.equal(io.problems, ['the control group that is delegated cannot limit pids, cpu']);
  assert.is(strict({ privileged: true }).check, undefined);
});

test('all at once', () => {
  assert.is(problems({ privileged: true, namespaces: { pid: 'host' } }, 'single', NONE).length, 4);
});

test('Landlock and the limit on user namespaces are mandatory, whatever the filter', () => {
  for (const seccomp of ['default', '{"defaultAction":"SCMP_ACT_ALLOW"}']) {
    const walls = isolationAnnotations(recordOf({ strict: true, seccomp }));
    assert.is(walls[ANNOTATION.landlock], 'must');
    assert.is(walls[ANNOTATION.nestedUserns], 'off');
  }
  assert.is(isolationAnnotations(recordOf({}))[ANNOTATION.landlock], 'try');
});

test.run();
