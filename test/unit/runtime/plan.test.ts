import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Spec } from '../../../src/oci/runtime-spec.ts';
import { MS } from '../../../src/plan/flags.ts';
import { type Op, ops } from '../../../src/plan/ops.ts';
import { describeFailure } from '../../../src/runtime/failure.ts';
import { headerFailure } from '../../../src/runtime/failure-header.ts';
import { mountOp, parseMountOptions } from '../../../src/runtime/mounts.ts';
import { initPlan, resumePlan } from '../../../src/runtime/plan.ts';

const plan = suite('runtime/plan');

const SPEC: Spec = {
  ociVersion: '1.1.0',
  process: {
    user: { uid: 0, gid: 0 },
    args: ['sh', '-c', 'true'],
    env: ['PATH=/bin'],
    cwd: '/work',
    capabilities: {
      bounding: ['CAP_CHOWN'],
      effective: ['CAP_CHOWN'],
      permitted: ['CAP_CHOWN'],
      inheritable: [],
      ambient: [],
    },
  },
  root: { path: 'merged' },
  hostname: 'box',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
    { destination: '/data', type: 'bind', source: '/srv', options: ['rbind', 'ro'] },
  ],
  linux: { namespaces: [], maskedPaths: ['/proc/kcore'], readonlyPaths: ['/proc/sys'] },
  annotations: {},
};
const USER = { uid: 1000, gid: 100, groups: [10], home: '/home/me' };
const names = (list: readonly Op[]): string[] => list.map(o => o.name);
const find = (list: readonly Op[], name: string): Op =>
  list.find(o => o.name === name) ?? (assert.unreachable(name) as never);

plan('nothing is mounted before propagation is cut, and nothing is left to mount after the pivot', () => {
  const list = initPlan(SPEC, { rootfs: [ops.root('merged', 'why')], network: [ops.loopback('why')] });
  const order = names(list);
  assert.is(order[0], 'private');
  assert.is(order.at(-1), 'barrier');
  assert.ok(order.indexOf('root') < order.indexOf('mount'));
  for (const name of ['mount', 'bind', 'mask', 'readonly', 'mkdir', 'loopback', 'hostname']) {
    assert.ok(order.lastIndexOf(name as Op['name']) < order.indexOf('pivot'), name);
  }
  assert.ok(
    order.lastIndexOf('mount') < order.indexOf('mask'),
    'masks cover mounts, not the other way round',
  );
});

plan("the kernel's file systems refuse to be redirected by a link, user mounts stay beneath the root", () => {
  const list = initPlan(SPEC, { rootfs: [], network: [] });
  const how = (target: string): string =>
    String(list.find(o => o.fields.includes(target) && ['mount', 'bind'].includes(o.name))?.fields.at(-1));
  assert.is(how('/proc'), 'cs');
  assert.is(how('/dev'), 'cs');
  assert.is(how('/data'), 'c');
});

plan(
  'privilege is given up in the one order that works: bounding set, ids, filter, capabilities, exec',
  () => {
    const order = names(resumePlan(SPEC, USER, Uint8Array.of(1)));
    const wanted = ['session', 'chdir', 'bound', 'ids', 'seccomp', 'caps', 'env', 'exec'];
    assert.equal(
      order.filter(n => wanted.includes(n)),
      wanted,
    );
  },
);

plan('who is not root has no capabilities, and nobody has inheritable or ambient ones', () => {
  assert.equal(find(resumePlan(SPEC, USER, undefined), 'caps').fields, ['0', '0', '0', '0']);
  assert.equal(find(resumePlan(SPEC, { ...USER, uid: 0 }, undefined), 'caps').fields, ['1', '1', '0', '0']);
  assert.equal(find(resumePlan(SPEC, USER, undefined), 'bound').fields, ['1']);
});

plan('HOME comes from passwd unless it is set', () => {
  assert.equal(find(resumePlan(SPEC, USER, undefined), 'env').fields, ['PATH=/bin', 'HOME=/home/me']);
  const set = { ...SPEC, process: { ...SPEC.process, env: ['HOME=/x'] } };
  assert.equal(find(resumePlan(set, USER, undefined), 'env').fields, ['HOME=/x']);
});

plan('a terminal is opened inside, after the pivot, and replaces the pipes', () => {
  const tty = { ...SPEC, process: { ...SPEC.process, terminal: true } };
  const order = names(initPlan(tty, { rootfs: [], network: [] }));
  assert.ok(order.indexOf('pivot') < order.indexOf('tty'));
  assert.not.ok(names(resumePlan(tty, USER, undefined)).includes('owner'));
});

plan('mount options become flags and data', () => {
  assert.equal(parseMountOptions(['nosuid', 'ro', 'mode=755', 'size=1m']), {
    flags: MS.NOSUID | MS.RDONLY,
    data: 'mode=755,size=1m',
    optional: false,
  });
  assert.is(parseMountOptions(['ro', 'rw']).flags, 0);
  assert.ok(mountOp({ destination: '/x', type: 'cgroup2', options: ['optional'] }).optional);
  assert.equal(mountOp({ destination: '/d', source: '/s', options: ['rbind', 'ro'] }).fields, [
    '/s',
    '/d',
    String(MS.REC | MS.RDONLY),
    'c',
  ]);
});

plan("a failed exec has docker's statuses", () => {
  const failure = (errno: number) =>
    describeFailure({
      plan: 'resume',
      index: 0,
      errno,
      detail: '',
      ops: [ops.exec('nope', ['nope'], 'why')],
    });
  assert.is(failure(2).exitCode, 127);
  assert.is(failure(2).code, 'COMMAND_NOT_FOUND');
  assert.is(failure(13).exitCode, 126);
  assert.is(failure(8).exitCode, 126);
});

plan("every operation's failure is a sentence with its operands and the reason", () => {
  const failed = (op: Op, errno: number) =>
    describeFailure({ plan: 'init', index: 0, errno, detail: '', ops: [op] });
  assert.match(
    failed(ops.bind({ source: '/a', target: '/b' }, 'w'), 2).message,
    /^mount \/a on \/b: no such file/,
  );
  assert.match(
    failed(ops.mount({ type: 'proc', target: '/proc' }, 'w'), 40).message,
    /symbolic link at \/proc/,
  );
  assert.match(failed(ops.ids(5, 5, [], 'w'), 22).hint ?? '', /subordinate/);
  assert.match(failed(ops.hostname('x', 'w'), 1).message, /^hostname x: operation not permitted/);
  assert.is(failed(ops.fuse('m', '', 'w'), 13).code, 'STORAGE');
});

plan('steps before the plan name the switch to turn', () => {
  assert.match(headerFailure('clone', 28).hint ?? '', /max_user_namespaces/);
  assert.match(
    headerFailure('newuidmap\nnewuidmap: uid range not allowed', 0).message,
    /uid range not allowed/,
  );
  assert.is(headerFailure('lock', 11).code, 'BAD_STATE');
});

plan('a mount that receives keeps the namespace a slave of the host', () => {
  const withMount = (options: string[]): string[] => {
    const mounts = [...SPEC.mounts, { destination: '/late', type: 'bind', source: '/srv', options }];
    return names(initPlan({ ...SPEC, mounts }, { rootfs: [], network: [] }));
  };
  assert.is(withMount(['rbind', 'rprivate']).includes('private'), true);
  for (const word of ['slave', 'rslave', 'shared', 'rshared'])
    assert.is(withMount(['rbind', word]).includes('private'), false, word);
});

plan('--device is bound under its own name, never through a link', () => {
  const devices = [{ path: '/dev/mine', hostPath: '/dev/fuse' }];
  const list = initPlan({ ...SPEC, linux: { ...SPEC.linux, devices } }, { rootfs: [], network: [] });
  const bind = list.find(o => o.fields[1] === '/dev/mine');
  assert.equal([bind?.fields[0], bind?.fields[3]], ['/dev/fuse', 'cs']);
});

plan('a passwd with a line more is bound over the image’s, and only where /dev is our own', () => {
  const user = { ...USER, passwd: Buffer.from('x') };
  const list = resumePlan(SPEC, user, undefined);
  assert.equal(names(list).slice(0, 3), ['write', 'bind', 'rmtree']);
  assert.equal([list[1]?.optional, list[1]?.fields[1], list[1]?.fields[3]], [true, '/etc/passwd', 's']);
  const bound = SPEC.mounts.map(m => (m.destination === '/dev' ? { ...m, type: 'bind', source: '/dev' } : m));
  assert.is(names(resumePlan({ ...SPEC, mounts: bound }, user, undefined)).includes('write'), false);
  assert.is(names(resumePlan(SPEC, USER, undefined)).includes('write'), false);
});

plan.run();
