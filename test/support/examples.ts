import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DELEGATED, type Example } from '../../src/cli/command.ts';
import { VERBS } from '../../src/cli/table.ts';
import { capture } from './cli.ts';
import { openWorld, type World } from './example-world.ts';
import { note } from './note.ts';
import { openPty } from './pty.ts';
import { missingNeed, requires } from './requires.ts';
import { eventually } from './within.ts';

let world: World;

/** What an example may need that not every machine has, and how to know; undefined is never here. */
const WHERE: Readonly<Record<string, (() => Promise<boolean>) | undefined>> = {
  [DELEGATED]: async () => (await world.tsbox.cgroup()).driver !== 'none',
  'Docker Hub can be reached': undefined,
  'systemd runs a manager for the user': undefined,
};

const SHELLS = {
  bash: ['bash', '-eo', 'pipefail', '-c'],
  zsh: ['zsh', '-f', '-c'],
  fish: ['fish', '--no-config', '-c'],
} as const;

async function run([, line, facts = {}]: Example): Promise<void> {
  await world.prepare(line);
  const typed = world.here(line);
  const status =
    facts.keys === undefined ? await inShell(typed, facts.shell) : await onTerminal(typed, facts.keys);
  assert.is(status.code, facts.status ?? 0, `${typed}\n${status.said}`);
}

async function inShell(
  line: string,
  shell: 'bash' | 'zsh' | 'fish' = 'bash',
): Promise<{ code: number; said: string }> {
  const [program, ...options] = SHELLS[shell];
  // What .zshrc does before the line.
  const begin = shell === 'zsh' ? 'autoload -Uz compinit; compinit -u -D; ' : '';
  const done = await capture(program, [...options, begin + line], world.home, { cwd: world.work });
  return { code: done.code, said: done.stdout + done.stderr };
}

/** The keys are typed when there is something to see, or when nothing has come for a while. */
async function onTerminal(line: string, keys: string): Promise<{ code: number; said: string }> {
  const pty = await openPty(['bash', '-c', `cd "$1"; ${line}`, 'bash', world.work], world.home);
  const first = /tty=\S+=\n/;
  await eventually(1500, 'something to see', () => /\S/.test(pty.text().split(first)[1] ?? '')).catch(
    () => {},
  );
  pty.type(keys);
  return { code: await pty.end(20_000), said: pty.text() };
}

/**
 * A test for each verb that is wanted: every example of its help and man page, typed as it stands into a shell of a normal user.
 */
export function exampleTests(title: string, wanted: (verb: string) => boolean): void {
  const test = requires(
    suite(title),
    'userns',
    'busybox',
    'registry',
    'slirp4netns',
    'tun',
    'fuse',
    'script',
    'nft',
    'xz',
    'make',
  );
  test.before(async () => {
    world = await openWorld();
  });
  test.after(() => world?.end());
  for (const [name, load] of Object.entries(VERBS).filter(([verb]) => wanted(verb)))
    test(`tsbox ${name}`, async () => {
      const { examples = [] } = (await load()).help;
      assert.ok(examples.length > 0, 'help has no example');
      for (const example of examples) await runOrSay(example);
    });
  test.run();
}

async function runOrSay(example: Example): Promise<void> {
  const [, line, { where, shell } = {}] = example;
  const absent = shell === undefined ? undefined : missingNeed(shell);
  if (where !== undefined) assert.ok(where in WHERE, `nobody knows where "${where}"`);
  if (absent) note(`not run: ${line}: ${absent.reason}`);
  else if (where !== undefined && !(await WHERE[where]?.())) note(`not run: ${line}: only where ${where}`);
  else await run(example);
}

/** The table of verbs in two halves, so that two files can run at the same time. */
export const ofContainers = (verb: string): boolean =>
  Object.keys(VERBS).indexOf(verb) < Object.keys(VERBS).indexOf('pull');
