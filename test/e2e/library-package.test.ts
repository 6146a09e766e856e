import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Tsbox, TsboxError } from '../../src/index.ts';
import { capture, collect, statusOf } from '../support/cli.ts';
import { loadedImage, openLibrary } from '../support/library.ts';
import { example, project } from '../support/package-project.ts';
import { requires } from '../support/requires.ts';
import { PROJECT, readProject } from '../support/source.ts';
import { tempHome } from '../support/temp-home.ts';

/** The package as programs get it: its types, its objects, its examples. */
const test = requires(suite('package'), 'userns', 'busybox');

const USE = `
import { type Container, type Sandbox, type SandboxResult, Tsbox, TsboxError } from 'tsbox';
const tsbox: Tsbox = await Tsbox.open({ root: '/nowhere' });
const box: Sandbox = await tsbox.sandbox({ image: 'alpine' });
const done: SandboxResult = await box.exec(['true'], { timeoutMs: 1 });
const container: Container = await tsbox.container('x');
for await (const line of container.logs({ follow: true })) line.data.length;
// @ts-expect-error a command is a list
await box.exec('true');
export const code: number = done.exitCode + (new TsboxError('USAGE', '').exitCode satisfies number);
`;

for (const [resolution, module] of [
  ['node16', 'node16'],
  ['bundler', 'esnext'],
]) {
  test(`types resolve under ${resolution}`, async () => {
    const options = {
      module,
      moduleResolution: resolution,
      target: 'es2022',
      lib: ['es2023'],
      types: ['node'],
    };
    const dir = project(`types-${resolution}`, {
      'package.json': '{"type":"module"}',
      'tsconfig.json': JSON.stringify({ compilerOptions: { ...options, strict: true, noEmit: true } }),
      'use.ts': USE,
    });
    const tsc = join(PROJECT, 'node_modules/typescript/bin/tsc');
    const result = await capture(process.execPath, [tsc, '-p', dir], tempHome());
    assert.equal([result.code, result.stdout], [0, '']);
  });
}

test('the package holds what it should and nothing else', async () => {
  const { files, exports } = JSON.parse(readProject('package.json')) as {
    files: string[];
    exports: Record<string, unknown>;
  };
  assert.equal(Object.keys(exports), ['.', './package.json']);
  const shipped = files.filter(file => !file.startsWith('!'));
  for (const stranger of ['src', 'test', '.ci', 'node_modules']) assert.not(shipped.includes(stranger));
  const index = readFileSync(join(PROJECT, 'dist/index.js'));
  assert.ok(index.length < 4_000_000, `dist/index.js has ${index.length} bytes`);
});

test('a container as an object', async () => {
  const tsbox = await openLibrary();
  await loadedImage(tsbox, 'box');
  const made = await tsbox.createContainer({
    image: 'box',
    network: 'none',
    command: ['sh', '-c', 'echo begun; exec sleep 1000'],
  });
  {
    await using container = made;
    await container.start();
    assert.is((await container.summary()).status, 'running');
    const out = await container.output({ command: ['cat'], input: 'through' });
    assert.equal([out.exitCode, String(out.stdout)], [0, 'through']);
    await (await container.exec({ command: ['touch', '/new'] })).wait();
    assert.equal(
      (await container.diff()).map(c => c.path).filter(p => p === '/new'),
      ['/new'],
    );
    const lines = [];
    for await (const line of container.logs()) lines.push(String(line.data));
    assert.equal(lines, ['begun\n']);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    const code = await container.wait({ signal: stop.signal }).catch((e: TsboxError) => e.code);
    assert.is(code, 'ABORTED');
    await container.kill();
    assert.is(await container.wait(), 137);
  }
  const gone = await tsbox.container(made.id).catch((e: TsboxError) => e.code);
  assert.is(gone, 'NOT_FOUND');
});

test('two stores in one process know nothing of each other', async () => {
  const [one, two] = [await openLibrary('one'), await openLibrary('two')];
  await loadedImage(one, 'box');
  assert.equal([(await one.images()).length, (await two.images()).length], [1, 0]);
  await using box = await one.sandbox({ image: 'box' });
  assert.equal([(await one.containers()).length, (await two.containers()).length], [1, 0]);
  assert.is((await box.exec(['true'])).exitCode, 0);
});

const withBox = (tsbox: Tsbox): Promise<void> => loadedImage(tsbox, 'box');

test('example: parallel CI steps', async () => {
  const child = await example('ci-steps.mjs', ['box'], withBox);
  const [out, err] = [collect(child.stdout), collect(child.stderr)];
  assert.is(await statusOf(child), 0, err() + out());
  assert.match(out(), /all steps passed/);
});

test('example: a service that executes code', async () => {
  const child = await example('code-service.mjs', ['box', 'sh', '0', 'root'], withBox);
  const err = collect(child.stderr);
  const url = await new Promise<string>(resolve =>
    child.stdout?.once('data', (text: Buffer) => resolve(String(text).trim())),
  );
  const ask = async (program: string) =>
    (await (await fetch(url, { method: 'POST', body: program })).json()) as Record<string, unknown>;
  const done = await ask('id -u; echo oops >&2; exit 3');
  assert.equal([done.exitCode, done.stdout, done.stderr], [3, '0\n', 'oops\n'], err());
  const [slow, quick] = await Promise.all([ask('sleep 100'), ask('echo quick')]);
  assert.equal([slow.timedOut, quick.stdout], [true, 'quick\n']);
  child.kill('SIGTERM');
  assert.is(await statusOf(child), 0, err());
});

test.run();
