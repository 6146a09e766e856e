import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDetachKeys } from '../../../src/engine/detach-keys.ts';
import { extendEnv, mergeEnv } from '../../../src/engine/env.ts';
import { parseMounts } from '../../../src/engine/mount-options.ts';
import { signalNumber } from '../../../src/engine/signals.ts';
import { parseUlimits } from '../../../src/engine/ulimits.ts';

const options = suite('engine/options');
const usage = (e: { code: string }): boolean => e.code === 'USAGE';

options("env: -e wins over the image, a bare name takes the caller's value or removes", () => {
  const env = mergeEnv({
    image: ['PATH=/bin', 'A=image', 'B=image'],
    options: { env: ['A=mine', 'HOMEDIR', 'B', 'EMPTY='], callerEnv: { HOMEDIR: '/h' }, tty: true },
    hostname: 'box',
  });
  assert.equal(env, ['PATH=/bin', 'HOSTNAME=box', 'TERM=xterm', 'A=mine', 'HOMEDIR=/h', 'EMPTY=']);
});

options('env: nothing of the caller comes in unasked', () => {
  const env = mergeEnv({ image: [], options: { callerEnv: { SECRET: 'x' } }, hostname: 'box' });
  assert.is(
    env.some(e => e.includes('SECRET')),
    false,
  );
});

options('env: a value may hold = and newlines, a name may not be empty', () => {
  assert.equal(extendEnv(['A=1'], ['A=b=c\nd'], {}), ['A=b=c\nd']);
  for (const entry of ['', '=x', 'A=\0'])
    assert.throws(() => extendEnv([], [entry], {}), usage, JSON.stringify(entry));
});

options("-v: docker's spellings", async () => {
  const [bind, named, anonymous, tmpfs] = await parseMounts({
    image: 'x',
    volumes: ['/etc:/a/../b/:ro', 'data:/var/lib/x', '/cache'],
    tmpfs: ['/t:size=64m,mode=700'],
  });
  assert.equal(bind, {
    type: 'bind',
    source: '/etc',
    target: '/b',
    readOnly: true,
    options: [],
    anonymous: false,
  });
  assert.equal(named, {
    type: 'volume',
    source: 'data',
    target: '/var/lib/x',
    readOnly: false,
    options: [],
    anonymous: false,
  });
  assert.is(anonymous?.type, 'volume');
  assert.is(anonymous?.anonymous, true);
  assert.match(anonymous?.source ?? '', /^[0-9a-f]{64}$/);
  assert.equal(tmpfs?.options, ['size=64m', 'mode=700']);
});

options('-v: what is wrong is said before anything is made', async () => {
  const cases = [
    '',
    'a:b',
    '/etc:relative',
    '/etc:/',
    '/etc:/a:huh',
    '/etc:/a:ro:x',
    'bad/name:/a',
    '..x:/a',
  ];
  for (const spec of cases) {
    const error = await parseMounts({ image: 'x', volumes: [spec] }).then(
      () => undefined,
      (e: { code: string }) => e,
    );
    assert.ok(error && ['USAGE', 'MOUNT'].includes(error.code), `${spec}: ${error?.code}`);
  }
  const missing = await parseMounts({ image: 'x', volumes: ['/no/such/dir:/a'] }).catch(
    (e: Error & { hint: string }) => e,
  );
  assert.match(String((missing as Error).message), /mount \/no\/such\/dir on \/a: no such file/);
  assert.is((missing as { hint: string }).hint, 'mkdir -p /no/such/dir');
});

options('-v: one target twice is refused', async () => {
  const error = await parseMounts({ image: 'x', volumes: ['/etc:/a', 'v:/a/'] }).catch(
    (e: { code: string }) => e,
  );
  assert.is((error as { code: string }).code, 'USAGE');
});

options('--ulimit', () => {
  assert.equal(parseUlimits(['nofile=10:20', 'core=0', 'stack=unlimited', 'as=-1']), [
    { name: 'nofile', soft: 10, hard: 20 },
    { name: 'core', soft: 0, hard: 0 },
    { name: 'stack', soft: -1, hard: -1 },
    { name: 'as', soft: -1, hard: -1 },
  ]);
  for (const bad of [
    'nofile',
    'nofile=',
    'huh=1',
    'nofile=20:10',
    'nofile=-1:5',
    'nofile=1:2:3',
    'NOFILE=1',
  ]) {
    assert.throws(() => parseUlimits([bad]), usage, bad);
  }
});

options('signals by name and number', () => {
  const known: [string | number, number][] = [
    ['SIGTERM', 15],
    ['term', 15],
    ['9', 9],
    [1, 1],
    ['RTMIN+3', 37],
    ['SIGRTMAX', 64],
  ];
  for (const [text, number] of known) assert.is(signalNumber(text), number, String(text));
  for (const bad of ['', '0', '65', 'SIGHUH', '-9', '9x', 'RTMIN+40'])
    assert.throws(() => signalNumber(bad), usage, bad);
});

options('detach keys', () => {
  assert.equal([...parseDetachKeys('ctrl-p,ctrl-q')], [16, 17]);
  assert.equal([...parseDetachKeys('ctrl-@,a,ctrl-]')], [0, 97, 29]);
  assert.equal([...parseDetachKeys('')], []);
  for (const bad of ['ctrl-', 'ctrl-1', 'ab', 'a,,b', 'ctrl-p,ü'])
    assert.throws(() => parseDetachKeys(bad), usage, bad);
});

options.run();
