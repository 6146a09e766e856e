import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Tsbox } from '../../src/index.ts';
import { type Box, openBox, statusOf } from '../support/cli.ts';
import { busyboxImage, dockerArchive, layerWith } from '../support/images.ts';
import { push } from '../support/push.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';
import { eventually } from '../support/within.ts';

/** SIGKILL at random moments of everything that changes the image store. */
const test = requires(suite('crash'), 'userns', 'busybox', 'registry');
const ROUNDS = process.env.TSBOX_TEST_LONG ? 500 : 25;

let registry: Registry;
let box: Box;
/** The same store from within this process, for all that is not killed: it need not be started each time. */
let tsbox: Tsbox;

test.before(async () => {
  registry = await startRegistry();
  box = openBox(tempHome('crash'));
  const runtimeDir = join(box.home.dir, 'run/tsbox');
  tsbox = await Tsbox.open({ root: box.home.store, runtimeDir });
  await push(registry, 'team/app', 'v1', image('pulled'));
  const archive = dockerArchive(image('loaded'), 'loaded:latest', join(box.home.dir, 'loaded.tar'));
  const base = dockerArchive(busyboxImage(), 'busybox:latest', join(box.home.dir, 'busybox.tar'));
  for (const path of [base, archive]) await box.ok('load', '-q', '-i', path);
  const write = 'mkdir /srv; for i in $(seq 300); do echo $i > /srv/$i; done';
  await box.ok('run', '--name', 'changed', '--network', 'none', 'busybox', 'sh', '-c', write);
});
test.after(() => registry?.stop());

function image(text: string) {
  const base = busyboxImage();
  const files = (n: number) =>
    Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`srv/${n}/${i}`, `${text}${i}`.repeat(500)]));
  return { ...base, layers: [...base.layers, layerWith(files(1)), layerWith(files(2))] };
}

/** What is killed, and what makes the next round of it do something again. */
interface Step {
  readonly args: () => string[];
  readonly before: () => Promise<unknown>;
}

let pushes = 0;
const load = (): Promise<unknown> => tsbox.load(join(box.home.dir, 'loaded.tar'));
const remove = (name: string): Promise<unknown> => tsbox.removeImage(name, { force: true }).catch(() => {});

const STEPS: Readonly<Record<string, Step>> = {
  pull: {
    args: () => ['pull', '-q', `${registry.host}/team/app:v1`],
    before: () => remove(`${registry.host}/team/app:v1`),
  },
  load: {
    args: () => ['load', '-q', '-i', join(box.home.dir, 'loaded.tar')],
    before: () => remove('loaded'),
  },
  rmi: { args: () => ['rmi', '-f', 'loaded'], before: load },
  commit: {
    args: () => ['commit', 'changed', 'committed'],
    before: () => remove('committed'),
  },
  push: {
    args: () => ['push', '-q', `${registry.host}/team/pushed:${pushes}`],
    before: async () => {
      pushes++;
      await load();
      await tsbox.tag('loaded', `${registry.host}/team/pushed:${pushes}`);
    },
  },
};

for (const [name, step] of Object.entries(STEPS)) {
  test(`${name} is killed at any moment`, async () => {
    const span = await duration(step);
    for (let round = 0; round < ROUNDS / Object.keys(STEPS).length; round++) {
      await step.before();
      const delay = Math.random() * span;
      const child = box.start(...step.args());
      const ended = statusOf(child);
      await new Promise(resolve => setTimeout(resolve, delay));
      child.kill('SIGKILL');
      await ended;
      await assertWhole(`${name}, killed after ${Math.round(delay)} of ${span} ms`);
    }
    await step.before();
    await box.ok(...step.args());
  });
}

async function duration(step: Step): Promise<number> {
  await step.before();
  const done = await box(...step.args());
  assert.is(done.code, 0, done.stderr);
  return done.duration;
}

/** Every listed image runs, the next command sweeps, and then the check finds nothing. */
async function assertWhole(what: string): Promise<void> {
  for (const { id } of await tsbox.images()) {
    const options = {
      image: id,
      command: ['true'],
      network: 'none',
      pull: 'never',
      autoRemove: true,
    } as const;
    const { exitCode, stderr } = await tsbox.capture(options);
    assert.is(exitCode, 0, `${what}: ${id} does not run: ${stderr}`);
  }
  // Its processes may be on their way out.
  await eventually(30_000, `${what}: tmp/ is swept`, async () => {
    await tsbox.sweep();
    return readdirSync(join(box.home.store, 'tmp')).length === 0;
  });
  assert.equal(await tsbox.check({ full: true }), [], what);
}

test.run();
