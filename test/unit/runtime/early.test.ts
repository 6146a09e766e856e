import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ops, type Service } from '../../../src/plan/ops.ts';
import { earlyFirst, keepModel, modelOf } from '../../../src/runtime/early.ts';
import type { Header } from '../../../src/runtime/header.ts';

const test = suite('runtime/early');
const dir = mkdtempSync(join(tmpdir(), 'early-'));
test.after(() => rmSync(dir, { recursive: true }));

const maps = {
  mode: 'single',
  uid: [{ inside: 0, outside: 1000, count: 1 }],
  gid: [{ inside: 0, outside: 1000, count: 1 }],
  denySetgroups: true,
} as const;
const header = { id: 'a'.repeat(64), cwd: '/store', clone: 7, maps } as unknown as Header;
const service = (name: string, early: boolean, ready = true): Service => ({
  name,
  ready,
  fuse: false,
  early,
  ops: [ops.exec(name, [name, '{pid}'], 'why')],
});

test('what is of one container is not in it', () => {
  const other = { ...header, id: 'b'.repeat(64), cwd: '/elsewhere', front: 'io', stdin: true } as Header;
  const words = [modelOf(header, []), modelOf(other, [service('ports', false)])].map(m => m?.word);
  assert.is(words[0], words[1]);
  assert.ok(words[0]);
});

test('what differs has another word', () => {
  const words = [
    modelOf(header, []),
    modelOf({ ...header, clone: 3 }, []),
    modelOf({ ...header, maps: { ...maps, denySetgroups: false } } as Header, []),
    modelOf({ ...header, maps: { ...maps, uid: [{ inside: 0, outside: 1001, count: 1 }] } } as Header, []),
    modelOf(header, [service('slirp4netns', true)]),
    modelOf(header, [service('slirp4netns', true, false)]),
    modelOf(header, [service('pasta', true)]),
  ].map(model => model?.word);
  assert.is(new Set(words).size, words.length);
});

for (const more of [{ target: { pid: 1, start: 2 } }, { whatever: 'comes' }]) {
  test(`a request with ${Object.keys(more)[0]} has none`, () => {
    assert.is(modelOf({ ...header, ...more } as Header, []), undefined);
  });
}

test('with a control group: all but the pid namespace, whose first process is born in the group', () => {
  const NEWPID = 0x20000000;
  const clone = (header.clone ?? 0) | NEWPID;
  const groups = ['/sys/fs/cgroup/x', '/sys/fs/cgroup/y'];
  const words = groups.map(cgroup => modelOf({ ...header, clone, cgroup } as Header, [])?.word);
  assert.is(words[0], words[1]);
  assert.is(words[0], modelOf(header, [])?.word);
  assert.is.not(words[0], modelOf({ ...header, clone } as Header, [])?.word);
});

test('without namespaces there is none', () => {
  const { clone: _, ...joined } = header;
  assert.is(modelOf(joined as Header, []), undefined);
});

test('early services come first, in their order', () => {
  const list = [service('a', false), service('b', true), service('c', false), service('d', true)];
  assert.equal(
    earlyFirst(list).map(s => s.name),
    ['b', 'd', 'a', 'c'],
  );
});

test('it is written when it is another, for the user alone', () => {
  const path = join(dir, 'early');
  const [one, two] = [modelOf(header, []), modelOf({ ...header, clone: 3 }, [])];
  if (!one || !two) throw new Error('no model');
  keepModel(path, one);
  assert.is(statSync(path).mode & 0o777, 0o600);
  utimesSync(path, 1, 1);
  keepModel(path, one);
  assert.is(statSync(path).mtimeMs, 1000);
  const before = readFileSync(path);
  keepModel(path, two);
  assert.not.equal(readFileSync(path), before);
});

test('where it cannot be written nothing happens', () => {
  const model = modelOf(header, []);
  if (!model) throw new Error('no model');
  writeFileSync(join(dir, 'file'), '');
  keepModel(join(dir, 'file/early'), model);
  assert.not(existsSync(join(dir, 'file/early')));
});

test.run();
