import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { containerSpec, namespaces } from '../../../src/engine/container-spec.ts';
import type { ContainerRecord, MountRecord } from '../../../src/store/container-record.ts';
import { recordOf } from '../../support/container-store.ts';

const test = suite('engine/container-spec');
const maps = { mode: 'single', uid: [], gid: [], denySetgroups: true } as const;
const specOf = (more: Partial<ContainerRecord>, netns: 'new' | 'host' = 'new') =>
  containerSpec({ record: { ...recordOf(), ...more }, maps, rootPath: 'merged', netns });
const mountAt = (more: Partial<ContainerRecord>, path: string) =>
  specOf(more).mounts.find(m => m.destination === path);
const bind = (options: string[], readOnly = false): MountRecord => ({
  type: 'bind',
  source: '/a',
  target: '/m',
  readOnly,
  options,
  anonymous: false,
});

test('namespaces: what is shared with the host is not made', () => {
  const types = (list: { type: string }[]) => list.map(n => n.type).join(' ');
  assert.is(types(namespaces('new')), 'user mount pid uts ipc cgroup network');
  assert.is(types(namespaces('host', { pid: 'host', ipc: 'host', uts: 'host' })), 'user mount cgroup');
  assert.is(types(namespaces('new', { ipc: 'none' })), 'user mount pid uts ipc cgroup network');
  assert.is(specOf({ namespaces: { uts: 'host' } }).hostname, undefined);
});

test('--pid and --ipc: the host’s file systems are bound, our own are mounted', () => {
  assert.is(mountAt({}, '/proc')?.type, 'proc');
  assert.equal(mountAt({ namespaces: { pid: 'host' } }, '/proc')?.options?.slice(0, 2), [
    'rbind',
    'rprivate',
  ]);
  assert.is(mountAt({ namespaces: { ipc: 'none' } }, '/dev/shm'), undefined);
  assert.is(mountAt({ namespaces: { ipc: 'host' } }, '/dev/shm')?.source, '/dev/shm');
});

test('bind options become the words of a mount', () => {
  const words = (options: string[], readOnly = false) =>
    mountAt({ mounts: [bind(options, readOnly)] }, '/m')?.options?.join(' ');
  assert.is(words([]), 'rbind rprivate');
  assert.is(words([], true), 'rbind rprivate ro');
  assert.is(words(['rslave', 'U']), 'rbind rslave');
  assert.is(words(['bind']), 'bind private');
  assert.is(words(['nosuid', 'nocopy']), 'rbind rprivate nosuid');
});

test('systempaths=unconfined hides nothing', () => {
  assert.ok((specOf({}).linux.maskedPaths?.length ?? 0) > 0);
  const open = specOf({ systemPaths: 'unconfined' }).linux;
  assert.equal([open.maskedPaths, open.readonlyPaths], [[], []]);
});

test('an annotation of the user does not become one of ours', () => {
  const { annotations } = specOf({ annotations: { 'dev.tsbox.init': 'true', 'a.b': 'c' } });
  assert.equal([annotations['dev.tsbox.init'], annotations['a.b']], ['false', 'c']);
});

test.run();
