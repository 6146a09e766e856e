import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseImageConfig } from '../../../src/oci/config.ts';

const test = suite('oci/config');
const DIFF = `sha256:${'b'.repeat(64)}`;
const base = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [DIFF] } };
const parse = (doc: unknown) => parseImageConfig(Buffer.from(JSON.stringify(doc)));

test('reads what docker writes, nulls and all', () => {
  const config = {
    Hostname: '',
    User: '',
    ExposedPorts: { '80/tcp': {} },
    Env: ['PATH=/bin'],
    Cmd: ['sh'],
    Entrypoint: null,
    Volumes: null,
    WorkingDir: '/srv',
    OnBuild: null,
    Labels: { a: 'b' },
    StopSignal: 'SIGQUIT',
    ArgsEscaped: true,
    Healthcheck: { Test: ['CMD', 'true'], Interval: 30_000_000_000 },
  };
  const history = [{ created: '2026-01-01T00:00:00Z', created_by: 'x' }, { empty_layer: true }];
  const got = parse({
    ...base,
    config,
    history,
    container_config: { Cmd: 1 },
    created: '2026-01-01T00:00:00Z',
  });
  assert.equal(got.config.Cmd, ['sh']);
  assert.is(got.config.Entrypoint, undefined);
  assert.not('Entrypoint' in got.config);
  assert.equal(got.config.ExposedPorts, { '80/tcp': {} });
  assert.is(got.history[1]?.empty_layer, true);
  assert.equal(got.rootfs.diff_ids, [DIFF]);
});

test('a minimal config has an empty process config', () => {
  assert.equal(parse(base).config, {});
  assert.equal(parse({ ...base, config: null, history: null }).history, []);
});

const BAD: ReadonlyArray<readonly [string, object, RegExp]> = [
  ['rootfs missing', { rootfs: undefined }, /rootfs is not an object/],
  ['rootfs of another type', { rootfs: { type: 'x', diff_ids: [] } }, /rootfs\.type/],
  ['malformed diff id', { rootfs: { type: 'layers', diff_ids: ['sha256:..'] } }, /diff_ids\[0\]/],
  ['Env as text', { config: { Env: 'A=b' } }, /config\.Env is not an array/],
  ['Env of numbers', { config: { Env: [1] } }, /config\.Env\[0\] is not a string/],
  ['NUL in an argument', { config: { Cmd: ['a\0b'] } }, /contains a NUL/],
  ['NUL in a label', { config: { Labels: { a: '\0' } } }, /NUL/],
  ['WorkingDir as list', { config: { WorkingDir: [] } }, /WorkingDir is not a string/],
  ['Volumes as list', { config: { Volumes: ['/x'] } }, /Volumes is not an object/],
  ['history as object', { history: {} }, /history is not an array/],
  ['os as number', { os: 1 }, /os is not a string/],
];

for (const [name, change, problem] of BAD) {
  test(`refuses: ${name}`, () =>
    assert.throws(
      () => parse({ ...base, ...change }),
      (e: Error) => problem.test(e.message),
    ));
}

test.run();
