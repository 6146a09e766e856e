import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Grammar, parseBoolean, type Scanned, scan, UnknownFlag } from '../../../src/cli/argv.ts';
import type { TsboxError } from '../../../src/errors.ts';

const option = (names: string, value?: string) => ({
  names: names.split(','),
  description: '',
  ...(value === undefined ? {} : { value }),
});

/** A piece of docker run. */
const RUN: Grammar = {
  usage: 'tsbox run',
  operandsBeforeRest: 1,
  options: [
    option('-i,--interactive'),
    option('-t,--tty'),
    option('-d,--detach'),
    option('--rm'),
    option('--sig-proxy'),
    option('--no-trunc'),
    option('-e,--env', 'X'),
    option('-v,--volume', 'X'),
    option('-p,--publish', 'X'),
    option('-h,--hostname', 'X'),
    option('--name', 'X'),
    option('--memory-swap', 'X'),
    option('--network,--net', 'X'),
    option('--ip6', 'X'),
  ],
};
const PS: Grammar = { usage: 'tsbox ps', options: [option('-a,--all'), option('-n,--last', 'X')] };
const test = suite('argv');

/** One spelling for everything: `--name=value`, the last word on each switch, operands. */
function words({ options, operands }: Scanned): string[] {
  const switches = new Map<string, string>();
  const values: string[] = [];
  for (const { name, value } of options) {
    if (typeof value === 'boolean') switches.set(name, value ? name : `--no-${name.slice(2)}`);
    else values.push(`${name}=${value}`);
  }
  return [...values, ...switches.values(), ...(operands.length > 0 ? ['--', ...operands] : [])];
}

/** docker's spelling → that one. */
const TABLE: [string, string[], string[]][] = [
  ['short joined value', ['-p80:80', 'img'], ['--publish=80:80', '--', 'img']],
  ['short separate value', ['-p', '80:80', 'img'], ['--publish=80:80', '--', 'img']],
  ['short with =', ['-e=X?', 'img'], ['--env=X?', '--', 'img']],
  ['value with =', ['-e', 'A=B=C', 'img'], ['--env=A=B=C', '--', 'img']],
  ['switches in a row', ['-itd', 'img'], ['--interactive', '--tty', '--detach', '--', 'img']],
  [
    'a row that ends in a value',
    ['-itv', '/a:/b', 'img'],
    ['--volume=/a:/b', '--interactive', '--tty', '--', 'img'],
  ],
  ['a row with a joined value', ['-itp80', 'img'], ['--publish=80', '--interactive', '--tty', '--', 'img']],
  ['a switch that takes the rest as its value', ['-i=false', 'img'], ['--no-interactive', '--', 'img']],
  ['a row whose last has a value', ['-it=false', 'img'], ['--interactive', '--no-tty', '--', 'img']],
  ['a value that begins with -', ['--memory-swap', '-1', 'img'], ['--memory-swap=-1', '--', 'img']],
  ['a value that is a flag', ['--name', '--rm', 'img'], ['--name=--rm', '--', 'img']],
  ['a short value that is --', ['-e', '--', 'img'], ['--env=--', '--', 'img']],
  ['a name with a digit', ['--ip6=fe80::1', 'img'], ['--ip6=fe80::1', '--', 'img']],
  ['an empty value', ['--name=', 'img'], ['--name=', '--', 'img']],
  ['an empty separate value', ['--name', '', 'img'], ['--name=', '--', 'img']],
  ['a switch set to false', ['--rm=false', 'img'], ['--no-rm', '--', 'img']],
  ['a switch set to true', ['--rm=T', 'img'], ['--rm', '--', 'img']],
  ['the last switch counts', ['--rm', '--rm=0', 'img'], ['--no-rm', '--', 'img']],
  ['a negative switch unset', ['--no-trunc', '--no-trunc=false', 'img'], ['--no-no-trunc', '--', 'img']],
  ['an alias of a name', ['--net', 'none', 'img'], ['--network=none', '--', 'img']],
  ['-h is the host name here', ['-h', 'web', 'img'], ['--hostname=web', '--', 'img']],
  ["the command's own options", ['img', '--rm', '-it'], ['--', 'img', '--rm', '-it']],
  ["the command's own --", ['img', '--', '-x'], ['--', 'img', '--', '-x']],
  ["the command's own --help", ['img', 'ls', '--help'], ['--', 'img', 'ls', '--help']],
  ['-- before the image', ['--rm', '--', '-img', '--rm'], ['--rm', '--', '-img', '--rm']],
  ['a lone dash is an operand', ['-', 'x'], ['--', '-', 'x']],
  [
    'values keep their order',
    ['-e', 'A=1', '--rm', '-e', 'B=2', 'i'],
    ['--env=A=1', '--env=B=2', '--rm', '--', 'i'],
  ],
  ['nothing', [], []],
];

for (const [name, argv, expected] of TABLE) {
  test(name, () => assert.equal(words(scan(argv, RUN)), expected));
}

test('without a command of its own, options may follow operands', () => {
  assert.equal(words(scan(['x', '-a', 'y', '-n5'], PS)), ['--last=5', '--all', '--', 'x', 'y']);
  assert.equal(words(scan(['x', '--', '-a'], PS)), ['--', 'x', '-a']);
});

test('--help and -h', () => {
  assert.is(scan(['--help'], RUN).help, true);
  assert.is(scan(['--help=false'], RUN).help, false);
  assert.is(scan(['img', '--help'], RUN).help, false);
  assert.is(scan(['-h'], PS).help, true);
  assert.is(scan(['-ah'], PS).help, true);
});

const BAD: [string[], RegExp, RegExp?][] = [
  [['--naem', 'x'], /^unknown flag --naem$/, /did you mean --name\?/],
  [['--rn'], /^unknown flag --rn$/, /did you mean --rm\?/],
  [['--zzzzzz'], /^unknown flag --zzzzzz$/, /^'tsbox run --help' lists/],
  [['-z', 'img'], /^unknown flag -z$/],
  [['-itz', 'img'], /^unknown flag -z in -itz$/],
  [['--no-rm', 'img'], /^unknown flag --no-rm$/],
  [['--=x'], /^unknown flag --$/],
  [['-p'], /^flag -p needs a value$/],
  [['-itp'], /^flag -p needs a value$/],
  [['--name'], /^flag --name needs a value$/],
  [['--rm=maybe', 'img'], /^flag --rm takes true or false, not 'maybe'$/],
  [['-t=', 'img'], /^flag -t takes true or false, not ''$/],
  [['--help=perhaps'], /^flag --help takes true or false/],
];

for (const [argv, message, hint] of BAD) {
  test(`refused: ${argv.join(' ')}`, () => {
    try {
      scan(argv, RUN);
    } catch (error) {
      const { code, exitCode, message: text, hint: help } = error as TsboxError;
      assert.equal([code, exitCode], ['USAGE', 125]);
      assert.match(text, message);
      assert.match(help ?? '', hint ?? /./);
      return;
    }
    assert.unreachable();
  });
}

test('an unknown flag says which', () => {
  assert.throws(
    () => scan(['-itz'], RUN),
    (error: unknown) => error instanceof UnknownFlag && error.flag === '-z',
  );
});

test("Go's booleans", () => {
  for (const word of ['1', 't', 'T', 'true', 'TRUE', 'True']) assert.is(parseBoolean(word), true);
  for (const word of ['0', 'f', 'F', 'false', 'FALSE', 'False']) assert.is(parseBoolean(word), false);
  for (const word of ['', 'yes', 'no', 'tRUE', '2', ' true']) assert.is(parseBoolean(word), undefined);
});

test.run();
