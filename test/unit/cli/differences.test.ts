import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ABSENT_FLAGS, ABSENT_RUN_FLAGS, ABSENT_VERBS } from '../../../src/cli/absent.ts';
import { GLOBAL_OPTIONS } from '../../../src/cli/globals.ts';
import { optionsOf } from '../../../src/cli/parse.ts';
import { VERBS } from '../../../src/cli/table.ts';
import { DOCKER_FLAGS } from '../../support/docker-flags.ts';
import { DOCKER_VERBS } from '../../support/docker-verbs.ts';
import { readProject } from '../../support/source.ts';

/** docs/docker-differences.md against the program and against docker's own list of flags. */
const test = suite('docker-differences.md');
const page = readProject('docs/docker-differences.md');

interface Entry {
  readonly kind: string;
  readonly remark: string;
}

/** First cell of each row below a heading → the other two. */
function table(heading: string): Map<string, Entry> {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| `([^`]+)` \| (.*?) \|(?: (.*?) ?\|)?$/gm)];
  assert.ok(rows.length > 0, `no table below "${heading}"`);
  return new Map(
    rows.map(([, name = '', kind = '', remark = '']) => [name, { kind, remark: remark.trim() }]),
  );
}

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();
const longNames = async (verb: string): Promise<string[]> => {
  const load = VERBS[verb];
  assert.ok(load, verb);
  return optionsOf(await load()).map(option => option.names.find(name => name.startsWith('--')) ?? '');
};

/** Verbs that docker does not have. */
const OWN_VERBS = ['doctor', 'generate systemd'];

const verbs = table('Commands');
const runFlags = table('Flags of run and create');
const otherFlags = table('Flags of the other commands');
const own = table('Only in tsbox');

test('every command of docker has a row', () => {
  assert.equal(
    DOCKER_VERBS.filter(verb => !verbs.has(verb)),
    [],
  );
});

test('the commands are those that exist, the absent ones give their reason', () => {
  const present = [...verbs].filter(([, { kind }]) => kind !== 'absent').map(([verb]) => verb);
  assert.equal(sorted([...present, ...OWN_VERBS]), sorted(Object.keys(VERBS)));
  const absent = [...verbs]
    .filter(([, { kind }]) => kind === 'absent')
    .map(([verb, { remark }]) => [verb, remark]);
  assert.equal(Object.fromEntries(absent), ABSENT_VERBS);
});

test('every flag of docker run has a row', () => {
  assert.equal(sorted(runFlags.keys()), sorted(DOCKER_FLAGS.run ?? []));
});

test('a flag of run is there or absent, as its row says', async () => {
  const present = await longNames('run');
  for (const [flag, { kind, remark }] of runFlags) {
    assert.is(present.includes(flag), kind !== 'absent', flag);
    assert.is(ABSENT_RUN_FLAGS[flag], kind === 'absent' ? remark : undefined, flag);
  }
  assert.equal(
    sorted(Object.keys(ABSENT_RUN_FLAGS)).filter(flag => !runFlags.has(flag)),
    [],
  );
});

test('create has the flags of run but those that are about being connected', async () => {
  const run = await longNames('run');
  const missing = ['--detach', '--detach-keys', '--sig-proxy', '--explain'];
  assert.equal(sorted(await longNames('create')), sorted(run.filter(flag => !missing.includes(flag))));
});

test('the flags of the other commands are there or absent, as their rows say', async () => {
  const expected = Object.entries(DOCKER_FLAGS)
    .filter(([verb]) => verb !== 'run' && verb !== 'create')
    .flatMap(([verb, flags]) => flags.map(flag => `${verb} ${flag}`));
  assert.equal(sorted(otherFlags.keys()), sorted(expected));
  for (const [name, { kind, remark }] of otherFlags) {
    const [verb = '', flag = ''] = name.split(/ (?=--)/);
    assert.is((await longNames(verb)).includes(flag), kind !== 'absent', name);
    assert.is(ABSENT_FLAGS[verb]?.[flag], kind === 'absent' ? remark : undefined, name);
  }
});

test('what docker lacks is in the last table', async () => {
  const extra: string[] = [];
  for (const verb of Object.keys(VERBS)) {
    if (verb === 'create') continue;
    const flags = (await longNames(verb)).filter(flag => !DOCKER_FLAGS[verb]?.includes(flag));
    extra.push(...flags.map(flag => `${verb} ${flag}`));
  }
  const globals = GLOBAL_OPTIONS.map(option => option.names.at(-1) ?? '').filter(
    name => !['--debug', '--version'].includes(name),
  );
  assert.equal(sorted(own.keys()), sorted([...OWN_VERBS, ...extra, ...globals]));
});

test('kinds are the three that the page promises, and a difference is explained', () => {
  for (const [name, { kind, remark }] of [...verbs, ...runFlags, ...otherFlags]) {
    assert.ok(['same', 'different', 'absent'].includes(kind), `${name}: ${kind}`);
    if (kind !== 'same') assert.ok(remark.length > 0, name);
  }
});

test.run();
