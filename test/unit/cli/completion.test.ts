import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Answer, answer } from '../../../src/cli/completion/answer.ts';
import { readLine } from '../../../src/cli/completion/line.ts';
import { unquote } from '../../../src/cli/completion/unquote.ts';
import { CHOICES } from '../../../src/cli/completion/values.ts';
import { optionsOf } from '../../../src/cli/parse.ts';
import { ALIASES, NOUNS, VERBS, verbsOfNoun } from '../../../src/cli/table.ts';

const test = suite('completion');
const tables = { verbs: VERBS, aliases: ALIASES, nouns: NOUNS, verbsOfNoun };

/** What follows; a kind of names stands for its names. */
const ask = (line: string): Promise<Answer> =>
  answer(line.split(' '), tables, async kind => [{ word: `<${kind}>`, about: '' }]);
const words = async (line: string): Promise<string[]> => (await ask(line)).candidates.map(c => c.word);

const PLACES: ReadonlyArray<readonly [line: string, expected: readonly string[]]> = [
  ['run --rm ', ['host', '<images>']],
  ['run alpine ', []],
  ['run -it -p 80:80 ', ['host', '<images>']],
  ['-D run ', ['host', '<images>']],
  ['run --network ', ['slirp4netns', 'pasta', 'none', 'host', 'container:', '<networks>']],
  ['run --pull=', ['--pull=always', '--pull=missing', '--pull=never']],
  ['run -itv ', ['<volumes>:']],
  ['run -v x:/y --volumes-from ', ['<containers>']],
  ['exec ', ['<running>']],
  ['exec web ', []],
  ['container start ', ['<ended>']],
  ['container inspect ', ['<containers>']],
  ['inspect ', ['<containers>', '<images>', '<volumes>', '<networks>']],
  ['unpause ', ['<paused>']],
  ['rm web ', ['<containers>']],
  ['network connect ', ['<networks>']],
  ['network connect backend ', ['<containers>']],
  ['network create ', []],
  ['volume rm old ', ['<volumes>']],
  ['cp ', ['<containers>:']],
  ['port ', ['add', 'rm', '<running>']],
  ['tag ', ['<images>']],
  ['tag app ', []],
  ['rmi app ', ['<images>']],
  ['image rm ', ['<images>']],
  ['save --format ', ['docker-archive', 'oci-archive', 'oci-dir']],
  ['completion ', ['bash', 'zsh', 'fish']],
  ['volume ls --filter ', ['name=', 'label=', 'driver=']],
  ['nonsense ', []],
];

for (const [line, expected] of PLACES) {
  test(`tsbox ${line}`, async () => {
    assert.equal(await words(line), expected);
  });
}

test('a name that is there already is not offered again', async () => {
  assert.equal(await words('rm <containers> '), []);
});

test('files', async () => {
  const files = async (line: string) => (await ask(line)).files;
  assert.is(await files('load -i '), 'files');
  assert.is(await files('import '), 'files');
  assert.is(await files('build '), 'directories');
  assert.is(await files('--root '), 'directories');
  assert.is(await files('run -w '), undefined);
  assert.is(await files('cp '), 'files');
});

test('verbs, nouns and flags come with what they are', async () => {
  const about = async (line: string, word: string) =>
    (await ask(line)).candidates.find(c => c.word === word)?.about;
  assert.is(await about('', 'ps'), 'List containers');
  assert.is(await about('v', 'volume'), 'Manage volumes');
  assert.is(await about('container ', 'ls'), 'List containers');
  assert.is(await about('ps -', '--all'), 'Also containers that do not run');
  assert.is(await about('--', '--root'), 'Where images, containers and volumes are kept');
});

test("the line's own store is asked", async () => {
  const line = await readLine(['--root=/a', '--config', '/b', 'ps'], tables);
  assert.equal(
    [...line.globals],
    [
      ['--root', '/a'],
      ['--config', '/b'],
    ],
  );
});

test('every verb has something after it, and none throws', async () => {
  for (const name of [...Object.keys(VERBS), ...ALIASES.keys()]) {
    assert.ok((await words(`${name} --`)).includes('--help'), name);
    await ask(`${name} `);
  }
});

test('the choices are of options that exist', async () => {
  const verbs = await Promise.all(
    Object.entries(VERBS).map(async ([name, load]) => ({ name, of: await load() })),
  );
  const known = verbs.flatMap(({ name, of }) =>
    optionsOf(of).flatMap(option => option.names.flatMap(each => [each, `${name} ${each}`])),
  );
  assert.equal(
    Object.keys(CHOICES).filter(key => !known.includes(key)),
    [],
  );
});

test('quotes of a half-typed word', () => {
  assert.equal(['a\\ b', "'c d", '"e \\"f"g', 'h'].map(unquote), ['a b', 'c d', 'e "fg', 'h']);
});

test.run();
