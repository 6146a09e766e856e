import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cgroupfs } from '../../../src/cgroup/cgroupfs.ts';
import type { CgroupFacts, Setting } from '../../../src/cgroup/driver.ts';
import { makeContainerGroup } from '../../../src/cgroup/group.ts';
import { limitError, remedy } from '../../../src/cgroup/refusal.ts';
import { selectCgroup } from '../../../src/cgroup/select.ts';
import { TsboxError } from '../../../src/errors.ts';

/** Plain files stand for the kernel's: what is written where, and in which order, is what these tests see. */
const test = suite('cgroup/cgroupfs');
let mount: string;

test.before.each(() => {
  mount = mkdtempSync(join(tmpdir(), 'cgroup-'));
});
test.after.each(() => rmSync(mount, { recursive: true, force: true }));

function group(path: string, controllers: string, procs = ''): string {
  const dir = join(mount, path);
  mkdirSync(dir, { recursive: true });
  for (const [file, text] of Object.entries({
    'cgroup.procs': procs,
    'cgroup.controllers': controllers,
    'cgroup.subtree_control': '',
    'cgroup.type': 'domain',
  }))
    writeFileSync(join(dir, file), text);
  return dir;
}

const factsAt = (own: string | undefined, more: Partial<CgroupFacts> = {}): CgroupFacts => ({
  layout: 'v2',
  mount,
  own,
  controllers: [],
  delegated: true,
  systemd: false,
  userBus: undefined,
  ...more,
});
const request = (facts: CgroupFacts, parent?: string) => ({
  facts,
  containerId: 'c1',
  helper: 1,
  ...(parent !== undefined && { parent }),
});
const enabled = (dir: string): string => readFileSync(join(dir, 'cgroup.subtree_control'), 'utf8');

test('we stand in a leaf: the free group above is the place', async () => {
  const job = group('job', 'cpu memory');
  const step = group('job/step', 'cpu memory', '42\n');
  const facts = factsAt(step);
  const { ok, controllers, delegation } = cgroupfs.probe(facts);
  assert.equal([ok, controllers, delegation], [true, ['cpu', 'memory'], job]);
  const place = await cgroupfs.place(request(facts));
  assert.ok(place?.path.startsWith(join(job, 'tsbox-c1-')));
  assert.is(enabled(job), '+memory', 'each controller is one write; a plain file keeps the last');
  assert.is(enabled(step), '');
});

test('all have processes: those of ours go to a leaf', async () => {
  const job = group('job', 'pids', '42\n');
  writeFileSync(join(mount, 'cgroup.procs'), '1\n');
  writeFileSync(join(mount, 'cgroup.type'), 'domain');
  const place = await cgroupfs.place(request(factsAt(job)));
  assert.ok(place?.path.startsWith(join(job, 'tsbox-c1-')));
  assert.is(readFileSync(join(job, 'tsbox-leaf/cgroup.procs'), 'utf8'), '42');
});

test('of two starts at once each has a group of its own', async () => {
  const facts = factsAt(group('job', 'pids'));
  const asked = { containerId: 'c1', helper: 1, settings: [], bestEffort: false };
  const [one, two] = [
    await makeContainerGroup(selectCgroup(facts), facts, asked),
    await makeContainerGroup(selectCgroup(facts), facts, asked),
  ];
  assert.ok(one && two && one.path !== two.path && existsSync(one.path) && existsSync(two.path));
});

test('--cgroup-parent is below, and stays there', async () => {
  const job = group('job', 'pids');
  const place = await cgroupfs.place(request(factsAt(job), 'builds/nightly'));
  assert.ok(place?.path.startsWith(join(job, 'builds/nightly/tsbox-c1-')));
  for (const bad of ['../x', '/../..', 'a/../../b'])
    await cgroupfs.place(request(factsAt(job), bad)).then(
      () => assert.unreachable(bad),
      error => assert.match(error.message, /leads out of/),
    );
});

test('nothing delegated, and other layouts: the reason', () => {
  assert.match(cgroupfs.probe(factsAt(undefined)).reason ?? '', /belongs to somebody else/);
  for (const layout of ['hybrid', 'v1', 'none'] as const) {
    const selected = selectCgroup(factsAt(undefined, { layout }));
    assert.is(selected.driver.name, 'none');
    assert.equal(
      selected.refused.map(r => r.name),
      ['systemd', 'cgroupfs'],
    );
    const error = limitError(MEMORY, selected, factsAt(undefined, { layout }));
    assert.is(error.code, 'LIMIT');
    assert.match(error.message, /--memory cannot be enforced: containers have no control group here/);
    assert.match(error.hint ?? '', /unified_cgroup_hierarchy=1.*--limits best-effort/);
  }
});

const MEMORY: Setting = { flag: '--memory', controller: 'memory', file: 'memory.max', value: '1' };

test('with a manager of its own the remedy is its drop-in', () => {
  const facts = factsAt(group('job', 'cpu'), { userBus: '/run/user/1/bus' });
  const selected = selectCgroup(facts);
  assert.is(selected.driver.name, 'systemd');
  assert.match(remedy(MEMORY, selected, facts), /Delegate=cpu cpuset io memory pids into .*delegate\.conf/);
  assert.is(selectCgroup(facts, 'cgroupfs').driver.name, 'cgroupfs');
  assert.is(selectCgroup(facts, 'none').driver.name, 'none');
});

test('a limit whose controller is missing: nothing is left of the group', async () => {
  const job = group('job', 'pids');
  const facts = factsAt(job);
  const asked = { containerId: 'c1', helper: 1, settings: [MEMORY], bestEffort: false };
  const error = await makeContainerGroup(selectCgroup(facts), facts, asked).catch((e: unknown) => e);
  assert.ok(error instanceof TsboxError && error.code === 'LIMIT');
  assert.equal(
    readdirSync(job).filter(name => name.startsWith('tsbox-')),
    [],
  );
  const made = await makeContainerGroup(selectCgroup(facts), facts, { ...asked, bestEffort: true });
  assert.is(made?.outcomes[0]?.status, 'refused');
});

test.run();
