import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseYaml } from '../../../src/util/yaml.ts';

const test = suite('util/yaml');
/** Mappings have no prototype. */
const plain = (text: string): unknown => JSON.parse(JSON.stringify(parseYaml(text)));

test('what nvidia-ctk writes', () => {
  const text = `---
cdiVersion: 0.5.0   # a version is text
containerEdits:
  env:
  - NVIDIA_VISIBLE_DEVICES=void
  hooks:
  - args:
    - nvidia-cdi-hook
    - "--link"
    - 'it''s: # here'
    hookName: createContainer
  mounts:
    - containerPath: /usr/lib/libcuda.so.1
      hostPath: /usr/lib/libcuda.so.1
      options: ["ro", "nosuid"]
devices:
- containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
      permissions: rw
  name: "0"
- name: all
  containerEdits: {}
kind: nvidia.com/gpu
`;
  assert.equal(plain(text), {
    cdiVersion: '0.5.0',
    containerEdits: {
      env: ['NVIDIA_VISIBLE_DEVICES=void'],
      hooks: [{ args: ['nvidia-cdi-hook', '--link', "it's: # here"], hookName: 'createContainer' }],
      mounts: [
        {
          containerPath: '/usr/lib/libcuda.so.1',
          hostPath: '/usr/lib/libcuda.so.1',
          options: ['ro', 'nosuid'],
        },
      ],
    },
    devices: [
      { containerEdits: { deviceNodes: [{ path: '/dev/nvidia0', permissions: 'rw' }] }, name: '0' },
      { name: 'all', containerEdits: {} },
    ],
    kind: 'nvidia.com/gpu',
  });
});

const VALUES: [string, unknown][] = [
  ['', null],
  ['~', null],
  ['42', 42],
  ['-7', -7],
  ['007', '007'],
  ['true', true],
  ['"a\\nb"', 'a\nb'],
  ["''", ''],
  ['a b c', 'a b c'],
  ['a#b', 'a#b'],
  ['a #b', 'a'],
  ['http://x:80/y', 'http://x:80/y'],
  ['- 1\n- - 2\n  - 3\n-\n- a: 1\n  b: 2', [1, [2, 3], null, { a: 1, b: 2 }]],
  ['a:\n  b:\n    c: 1\n  d: 2\ne: 3', { a: { b: { c: 1 }, d: 2 }, e: 3 }],
  ['a:\nb:\n- 1', { a: null, b: [1] }],
  ['"a: b": 1', { 'a: b': 1 }],
  ['__proto__: 1', JSON.parse('{"__proto__": 1}')],
];

for (const [text, value] of VALUES) {
  test(JSON.stringify(text), () => assert.is(JSON.stringify(parseYaml(text)), JSON.stringify(value)));
}

test('what is more than plain data is refused, not misread', () => {
  for (const text of [
    'a: &x 1',
    'a: *x',
    'a: |\n  text',
    'a: !!str 1',
    'a: {b: c}',
    'a: [b]',
    'a: 1\na: 2',
    'a: 1\n  b: 2',
    '- 1\nb: 2',
    '\ta: 1',
    'a: "x',
    "a: 'x'y'",
    'a: 1\n---\nb: 2',
  ]) {
    assert.throws(() => parseYaml(text), /^line \d+: |^Error: line \d+/, text);
  }
});

test('a deep or long file takes no longer than it has lines', () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `- name: n${i}\n  path: /dev/x${i}`);
  const start = process.hrtime.bigint();
  assert.is((parseYaml(lines.join('\n')) as unknown[]).length, 20_000);
  assert.ok(Number(process.hrtime.bigint() - start) < 2e9);
});

test.run();
