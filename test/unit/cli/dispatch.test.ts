import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { optionsOf } from '../../../src/cli/parse.ts';
import { ALIASES, NOUNS, VERBS } from '../../../src/cli/table.ts';
import { VERSION } from '../../../src/cli/version.ts';
import { TsboxError } from '../../../src/errors.ts';
import { cli } from '../../support/fake-cli.ts';

const test = suite('dispatch');
const api = { containers: async () => [] };

test('the version is the package’s', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  assert.is(VERSION, version);
  for (const flag of ['--version', '-v']) assert.is((await cli([flag])).out, `tsbox version ${version}\n`);
});

test('every verb loads, says what it does, and documents its options', async () => {
  for (const [name, load] of Object.entries(VERBS)) {
    const verb = await load();
    assert.match(verb.help.summary, /^[A-Z]/, name);
    assert.ok(verb.operands.min <= verb.operands.max, name);
    for (const option of optionsOf(verb)) assert.ok(option.description.length > 3, `${name} ${option.names}`);
    const names = optionsOf(verb).flatMap(option => option.names);
    assert.is(new Set(names).size, names.length, `${name} has a name twice`);
  }
});

test('every alias leads to a verb', () => {
  for (const [alias, [name = '']] of ALIASES) {
    assert.ok(name in VERBS, alias);
    assert.ok((alias.split(' ')[0] ?? '') in NOUNS, alias);
  }
});

test('general help fits one screen', async () => {
  for (const argv of [[], ['--help'], ['help'], ['-h']]) {
    const { status, out } = await cli(argv);
    assert.is(status, 0);
    assert.ok(out.split('\n').length <= 45, 'too long');
    assert.ok(Math.max(...out.split('\n').map(line => line.length)) <= 100, 'too wide');
    assert.match(out, /tsbox run -it --rm alpine sh/);
  }
});

test('help of every verb names every option', async () => {
  for (const [name, load] of Object.entries(VERBS)) {
    const { status, out } = await cli([...name.split(' '), '--help']);
    assert.is(status, 0);
    assert.match(out, new RegExp(`^Usage: tsbox ${name}`));
    for (const option of optionsOf(await load()).filter(each => !each.hidden))
      assert.ok(out.includes(option.names.at(-1) ?? '?') || out.includes(option.names[0] ?? '?'), name);
  }
});

test('help by other words', async () => {
  const ps = (await cli(['ps', '--help'])).out;
  for (const argv of [
    ['help', 'ps'],
    ['ps', '-h'],
    ['container', 'ls', '--help'],
    ['--help', 'ps'],
    ['help', 'container', 'ls'],
  ]) {
    assert.is((await cli(argv)).out, ps, argv.join(' '));
  }
  assert.match((await cli(['volume'])).out, /^Usage: tsbox volume COMMAND[\s\S]*prune|inspect/);
  assert.is((await cli(['volume', '--help'])).out, (await cli(['volume'])).out);
  assert.match((await cli(['run', '--help', 'alpine'])).out, /^Usage: tsbox run/);
});

test('global options come before the verb', async () => {
  const { opened, status } = await cli(['--root', '/r', '--runtime-dir=/s', '--config', '/c.toml', 'ps'], {
    api,
  });
  assert.is(status, 0);
  assert.equal([opened?.root, opened?.runtimeDir, opened?.configFile], ['/r', '/s', '/c.toml']);
  const after = await cli(['ps', '--root', '/r'], { api });
  assert.equal([after.status, after.opened], [125, undefined]);
});

test("docker's nouns", async () => {
  const calls: string[] = [];
  const note = (call: string) => async () => {
    calls.push(call);
    return [];
  };
  const spy = {
    containers: note('ps'),
    images: note('images'),
    volumes: note('volumes'),
    inspectImage: async () => ({ calls: calls.push('inspect image') }),
  };
  await cli(['container', 'ls', '-a'], { api: spy });
  await cli(['container', 'list'], { api: spy });
  await cli(['image', 'ls'], { api: spy });
  await cli(['volume', 'list', '-q'], { api: spy });
  await cli(['image', 'inspect', 'x'], { api: spy });
  assert.equal(calls, ['ps', 'ps', 'images', 'volumes', 'inspect image']);
});

const REFUSED: [string[], RegExp][] = [
  [['rnu'], /^tsbox: unknown command: tsbox rnu\n {2}hint: .*'tsbox --help' lists the commands\n$/],
  [['pss'], /did you mean 'tsbox ps'\?/],
  [
    ['container', 'lss'],
    /unknown command: tsbox container lss\n {2}hint: did you mean 'tsbox container ls'\?/,
  ],
  [['volume', '--bad'], /unknown flag --bad/],
  [['toString'], /unknown command: tsbox toString/],
  [['volume', 'constructor'], /unknown command: tsbox volume constructor/],
  [['compose', 'up'], /docker's 'compose' is not in tsbox \(planned/],
  [['swarm', 'init'], /docker's 'swarm' is not in tsbox/],
  [['--bad', 'ps'], /unknown flag --bad/],
  [['-H', 'tcp://x', 'ps'], /unknown flag -H\n {2}hint: tsbox has no daemon/],
  [['--root'], /flag --root needs a value/],
  [['ps', 'x'], /'tsbox ps' accepts no arguments/],
  [
    ['exec', 'x'],
    /'tsbox exec' needs at least 2 arguments\n {2}hint: usage: tsbox exec \[OPTIONS\] CONTAINER/,
  ],
  [['tag', 'x'], /'tsbox tag' needs 2 arguments/],
  [['import'], /'tsbox import' takes 1 to 2 arguments/],
  [['help', 'nosuch'], /unknown command: tsbox nosuch/],
  [['images', '--tree'], /docker's --tree is not in tsbox \(planned\)/],
];

for (const [argv, message] of REFUSED) {
  test(`refused: ${argv.join(' ')}`, async () => {
    const result = await cli(argv);
    assert.match(result.err, message);
    assert.equal([result.status, result.out, result.opened], [125, '', undefined]);
  });
}

const failing = (error: unknown) => ({
  containers: async () => {
    throw error;
  },
});

test('an error is said once, with its hint and its status', async () => {
  const error = new TsboxError('STORE_VERSION', 'the store is of another version', {
    hint: 'one\ntwo',
    exitCode: 3,
  });
  const { status, err } = await cli(['ps'], { api: failing(error) });
  assert.equal([status, err], [3, 'tsbox: the store is of another version\n  hint: one\n        two\n']);
});

test('an error of nobody says how to report it', async () => {
  const { status, err } = await cli(['ps'], { api: failing(new RangeError('boom')) });
  assert.is(status, 125);
  assert.match(err, /^tsbox: boom\n {2}hint: this is unexpected; run again with --debug/);
});

test('--debug shows codes, causes and stacks', async () => {
  const error = new TsboxError('IO', 'outer', { cause: new Error('middle', { cause: new Error('inner') }) });
  const { err } = await cli(['--debug', 'ps'], { api: failing(error) });
  assert.match(err, /debug: \[IO\] TsboxError: outer\n/);
  assert.match(err, /caused by: Error: middle\n[\s\S]*caused by: Error: inner\n/);
  assert.not.match((await cli(['ps'], { api: failing(error) })).err, /middle/);
});

test('what a registry or image wrote into an error cannot reach the terminal', async () => {
  const { err } = await cli(['ps'], {
    api: failing(new TsboxError('REGISTRY', 'says \x1b[31mred\x9b', { hint: '\x07' })),
  });
  assert.is(err, 'tsbox: says \\x1b[31mred\\x9b\n  hint: \\x07\n');
});

test('Ctrl-C is 128 + the signal and needs few words', async () => {
  const { status, err } = await cli(['ps'], {
    api: failing(new TsboxError('ABORTED', 'cancelled')),
    signal: 2,
  });
  assert.equal([status, err], [130, 'tsbox: interrupted\n']);
});

test('a reader that has gone ends us quietly', async () => {
  const { status, err } = await cli(['ps'], { api, closeAfter: 0 });
  assert.equal([status, err], [0, '']);
});

test('TSBOX_DEBUG chooses areas', async () => {
  const speak = async (env: Record<string, string>, ...flags: string[]) => {
    const { opened } = await cli([...flags, 'ps'], { api, env });
    const lines: string[] = [];
    for (const area of ['helper', 'registry'] as const)
      opened?.reporter?.debug(area, () => String(lines.push(area)));
    return lines;
  };
  assert.equal(await speak({}), []);
  assert.equal(await speak({ TSBOX_DEBUG: 'registry,store' }), ['registry']);
  assert.equal(await speak({ TSBOX_DEBUG: 'all' }), ['helper', 'registry']);
  assert.equal(await speak({ TSBOX_DEBUG: '0' }), []);
  assert.equal(await speak({}, '--debug'), ['helper', 'registry']);
});

test.run();
