// run as: ranges
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, TSBOX } from '../support/cli.ts';
import { openPty, type Pty } from '../support/pty.ts';
import { busybox, removeContainers, sleeper } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { type TempHome, tempHome } from '../support/temp-home.ts';
import { eventually } from '../support/within.ts';

/** What the three shells really offer, with things in the store to be named. */
const test = requires(suite('completion'), 'userns', 'busybox');
const onTerminal = requires(test, 'script');
let home: TempHome;

test.before(async () => {
  const box = await busybox();
  const { dir, env } = tempHome();
  symlinkSync(TSBOX, join(dir, 'tsbox'));
  home = { ...box.home, env: { ...env, PATH: `${dir}:${env.PATH}` } };
  await sleeper('--name', 'web-server');
  await box.ok('create', '--name', 'web-old', '--network', 'none', 'busybox', 'true');
  await box.ok('tag', 'busybox', 'registry.example:5000/team/app:1.2');
  await box.ok('volume', 'create', 'web-data');
});
test.after(removeContainers);

/** bash's completions of a line, as its readline calls the function. */
const BASH = `source <(tsbox completion bash)
COMP_LINE=$1 COMP_POINT=\${#1} COMP_WORDS=("\${@:2}") COMP_CWORD=$(($# - 2))
_tsbox tsbox && printf '%s\\n' "\${COMPREPLY[@]}"`;

async function bash(...words: string[]): Promise<string[]> {
  const line = words
    .join(' ')
    .replace(/ ([:=]) /g, '$1')
    .replace(/ ([:=])$/, '$1');
  const done = await capture('bash', ['--norc', '-c', BASH, 'bash', line, ...words], home);
  assert.equal([done.code, done.stderr], [0, '']);
  return done.stdout.split('\n').filter(Boolean);
}

test('bash: verbs, flags, values, names', async () => {
  assert.equal(await bash('tsbox', 'ru'), ['run']);
  assert.equal(await bash('tsbox', 'volume', 'pr'), ['prune']);
  assert.equal(await bash('tsbox', 'run', '--memory-r'), ['--memory-reservation']);
  assert.equal(await bash('tsbox', 'exec', ''), ['web-server']);
  assert.equal(await bash('tsbox', 'start', ''), ['web-old']);
  assert.equal((await bash('tsbox', 'rm', 'web')).sort(), ['web-old', 'web-server']);
  assert.equal(await bash('tsbox', 'volume', 'rm', 'w'), ['web-data']);
  assert.equal(await bash('tsbox', 'run', '--network', 'ho'), ['host']);
});

test('bash: words that it splits at : and =', async () => {
  assert.equal(await bash('tsbox', 'run', 'registry.example', ':', '5'), ['5000/team/app:1.2']);
  assert.equal(await bash('tsbox', 'run', '--pull', '=', 'n'), ['never']);
  assert.equal(await bash('tsbox', 'run', '--pull', '='), ['always', 'missing', 'never']);
});

test('bash: files where a file is meant', async () => {
  assert.equal(await bash('tsbox', 'load', '-i', 'busybox.t'), ['busybox.tar']);
  assert.equal(await bash('tsbox', 'exec', 'web-server', 'busybox.t'), []);
});

const CONTROL = new RegExp(`${String.fromCharCode(27)}\\[[?0-9;]*[a-zA-Z]`, 'g');

/** Waits until the screen ends so, whatever colours and modes are set. */
const shows = (pty: Pty, end: string): Promise<true> =>
  eventually(20_000, `${end} at the end of the screen`, () =>
    pty.text().replace(CONTROL, '').endsWith(end) ? true : undefined,
  ).catch(error => {
    throw new Error(`${error.message}:\n${JSON.stringify(pty.text())}`);
  });

/** A person at an interactive shell: what the line is after TAB. */
async function typed(pty: Pty, keys: string, end: string): Promise<void> {
  pty.type(`${keys}\t`);
  await shows(pty, end);
  pty.type('\x15'); // the line is emptied
}

onTerminal('bash: TAB', async () => {
  const pty = await openPty(['bash', '--norc', '-i'], home);
  pty.type("source <(tsbox completion bash); PS1='> '\n");
  await shows(pty, '\n> ');
  await typed(pty, 'tsbox ru', '> tsbox run ');
  await typed(pty, 'tsbox run registry.example:5', 'registry.example:5000/team/app:1.2 ');
  await typed(pty, 'tsbox cp web-s', 'tsbox cp web-server:');
  pty.type('\x15exit\n');
  await pty.end();
});

requires(onTerminal, 'zsh')('zsh: TAB', async () => {
  const pty = await openPty(['zsh', '-f'], home);
  pty.type(
    "autoload -Uz compinit; compinit -u -D; source <(tsbox completion zsh); PS1='> '; setopt noprompt_sp\n",
  );
  await shows(pty, '> ');
  await typed(pty, 'tsbox ru', 'tsbox run ');
  await typed(pty, 'tsbox volume pr', 'tsbox volume prune ');
  await typed(pty, 'tsbox exec web', 'tsbox exec web-server ');
  await typed(pty, 'tsbox run registry.ex', 'registry.example:5000/team/app:1.2 ');
  await typed(pty, 'tsbox cp web-s', 'tsbox cp web-server:');
  await typed(pty, 'tsbox load -i busybox.t', 'tsbox load -i busybox.tar ');
  pty.type('exit\n');
  await pty.end();
});

requires(test, 'fish')('fish: complete -C', async () => {
  const script = `tsbox completion fish | source; for line in $argv; echo "== $line"; complete -C $line; end`;
  const lines = [
    'tsbox ru',
    'tsbox exec ',
    'tsbox volume rm w',
    'tsbox run --pull=n',
    'tsbox load -i busybox.t',
  ];
  const done = await capture('fish', ['--no-config', '-c', script, ...lines], home);
  assert.equal([done.code, done.stderr], [0, '']);
  const [ru, exec, volume, pull, load] = done.stdout.split(/^== .*\n/m).slice(1);
  assert.match(ru ?? '', /^run\tCreate a container/m);
  assert.is(exec, 'web-server\tbusybox, running\n');
  assert.is(volume, 'web-data\tvolume\n');
  assert.is(pull, '--pull=never\n');
  assert.match(load ?? '', /^busybox\.tar/);
});

test('a line that makes no sense, and a store that cannot be opened, are no news', async () => {
  for (const words of [
    ['frobnicate', ''],
    ['run', '--frob', ''],
    ['--root', '/dev/null/x', 'rm', ''],
  ]) {
    const done = await capture(TSBOX, ['_complete', 'fish', '--', ...words], home);
    assert.equal([done.code, done.stderr, done.stdout.split('\n').at(-2)], [0, '', ':'], words.join(' '));
  }
});

test.run();
