import { type ChildProcess, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cachedSteps, inStore, scene } from '../support/build.ts';
import { type Box, statusOf } from '../support/cli.ts';
import { requires } from '../support/requires.ts';
import { archive, dir, file } from '../support/tar-bytes.ts';

const test = requires(suite('build'), 'userns', 'busybox');

test('a step is done again when what it reads has changed: bytes and modes, not times', async () => {
  const { build, put, dir: context, sh } = await scene({ 'a.txt': 'one\n' });
  const text = 'FROM busybox\nWORKDIR /w\nCOPY a.txt .\nRUN cat a.txt > b.txt';
  assert.is(cachedSteps(await build(text)), 0);
  assert.is(cachedSteps(await build(text)), 3);
  utimesSync(join(context, 'a.txt'), 1, 1);
  assert.is(cachedSteps(await build(text)), 3);
  put({ 'a.txt': 'two\n' });
  assert.is(cachedSteps(await build(text)), 1);
  assert.is(await sh('cat /w/b.txt'), 'two');
  put({ 'a.txt': 'two\n' }, 0o600);
  assert.is(cachedSteps(await build(text)), 1);
  put({ 'a.txt': 'one\n' });
  assert.is(cachedSteps(await build(text)), 3, 'what was built before is known still');
  assert.is(cachedSteps(await build(text, '--no-cache')), 0);
});

test('arguments that a RUN sees count, others do not', async () => {
  const { build } = await scene();
  const text = 'FROM busybox\nARG A=1\nRUN echo $A > /a\nARG B\nRUN echo $B > /b';
  await build(text, '--build-arg', 'B=1');
  assert.is(cachedSteps(await build(text, '--build-arg', 'B=2')), 1);
  assert.is(cachedSteps(await build(text, '--build-arg', 'A=2', '--build-arg', 'B=1')), 0);
});

test('the same image twice is the same image, and with SOURCE_DATE_EPOCH to the bit', async () => {
  const { build, box } = await scene({ 'a.txt': 'x' });
  const text =
    'FROM busybox\nARG SOURCE_DATE_EPOCH\nCOPY a.txt /\nRUN mkdir /d && date > /dev/null && touch /d/f\nCMD ["x"]';
  const id = () => box.ok('image', 'inspect', '--format', '{{.Id}}', 'made');
  await build(text);
  const first = await id();
  await build(text);
  assert.is(await id(), first);
  const epoch = ['--no-cache', '--build-arg', 'SOURCE_DATE_EPOCH=1700000000'];
  await build(text, ...epoch);
  const second = await id();
  spawnSync('sleep', ['1.1']);
  await build(text, ...epoch);
  assert.is(await id(), second);
});

test('a step that fails: status 1, its finished steps stay as cache, nothing else', async () => {
  const { build, try: attempt, box } = await scene();
  const text = 'FROM busybox\nRUN echo kept > /kept\n';
  const done = await attempt(`${text}RUN echo why; exit 3`);
  assert.is(done.code, 1, done.stderr);
  assert.match(done.stderr, /why[\s\S]*exit code: 3/);
  assert.equal([inStore(box, 'containers'), inStore(box, 'tmp')], [[], []]);
  assert.is(cachedSteps(await build(`${text}RUN true`)), 1);
});

/** A build that has got as far as its second step, which sleeps. */
async function sleeping(context: string, box: Box): Promise<ChildProcess> {
  const text = 'FROM busybox\nRUN echo first > /f\nRUN echo sleeping; sleep 60';
  writeFileSync(`${context}.Dockerfile`, text);
  const flags = ['--progress', 'plain', '--network', 'none', '-f', `${context}.Dockerfile`];
  const child = box.start('build', ...flags, context);
  await new Promise<void>(resolve => {
    let said = '';
    child.stderr?.on('data', chunk => {
      said += String(chunk);
      if (/ sleeping$/m.test(said)) resolve();
    });
  });
  return child;
}

test('Ctrl-C: status 130, its finished steps stay as cache, nothing else', async () => {
  const { box, dir: context, build } = await scene();
  const child = await sleeping(context, box);
  child.kill('SIGINT');
  assert.is(await statusOf(child), 130);
  assert.equal([inStore(box, 'containers'), inStore(box, 'tmp')], [[], []]);
  assert.is(cachedSteps(await build('FROM busybox\nRUN echo first > /f')), 1);
  await box.ok('build', 'prune', '-f');
});

test('a build that is killed leaves its finished steps', async () => {
  const { box, dir: context, build } = await scene();
  const child = await sleeping(context, box);
  child.kill('SIGKILL');
  await statusOf(child);
  for (let tries = 0; tries < 50 && inStore(box, 'containers').length > 0; tries++) {
    spawnSync('sleep', ['0.1']);
    for (const id of inStore(box, 'containers')) await box('kill', id);
    await box('ps');
    await box('image', 'prune', '-f');
  }
  assert.equal(inStore(box, 'containers'), []);
  assert.is(cachedSteps(await build('FROM busybox\nRUN echo first > /f')), 1);
  assert.equal(inStore(box, 'tmp'), []);
});

test('cached layers are held until build prune', async () => {
  const { build, box } = await scene();
  const text = 'FROM busybox\nRUN echo held > /held';
  await build(text);
  await box.ok('rmi', 'made');
  assert.is(cachedSteps(await build(text)), 1);
  await box.ok('rmi', 'made');
  const before = inStore(box, 'layers').length;
  await box.ok('build', 'prune', '-f');
  assert.ok(inStore(box, 'layers').length < before);
  assert.is(cachedSteps(await build(text)), 0);
  assert.is((await box('system', 'check', '--full')).code, 0);
});

test('what is mounted for a step is not in its layer', async () => {
  const { build, box, dir: context } = await scene({ 'a.txt': 'x' });
  const mounts = [
    '--mount=type=bind,target=/made/for/bind',
    '--mount=type=cache,target=/made/cache',
    '--mount=type=tmpfs,target=/made/tmpfs',
    '--mount=type=secret,id=s,target=/made/secret',
  ];
  await build(
    `FROM busybox\nRUN ${mounts.join(' ')} test -s /made/secret && echo hi > /only`,
    '--secret',
    `id=s,src=${context}/a.txt`,
  );
  const layers = JSON.parse(
    await box.ok('image', 'inspect', '--format', '{{json .RootFS.Layers}}', 'made'),
  ) as string[];
  const blob = join(box.home.store, 'images/blobs/sha256', (layers.at(-1) ?? '').slice(7));
  const listed = spawnSync('tar', ['-tf', blob], { encoding: 'utf8' }).stdout.trim();
  assert.is(listed, 'only');
  const tree = join(box.home.store, 'layers', (layers.at(-1) ?? '').slice(7), 'fs');
  assert.equal(
    [existsSync(join(tree, 'made')), existsSync(join(tree, 'etc')), statSync(join(tree, 'only')).size],
    [false, false, 3],
  );
});

test('outputs: a directory, an archive of files, an archive of the image; one layer', async () => {
  const { build, box } = await scene({ 'a.txt': 'x' });
  const text = 'FROM busybox\nCOPY a.txt /a\nRUN rm /bin/vi; echo b > /b';
  const out = join(box.home.dir, 'out');
  await build(text, '-o', out);
  assert.is(readFileSync(join(out, 'b'), 'utf8'), 'b\n');
  await build(text, '-o', `type=oci,dest=${out}.tar`);
  assert.match(spawnSync('tar', ['-tf', `${out}.tar`], { encoding: 'utf8' }).stdout, /^oci-layout$/m);
  await build(text, '--squash');
  assert.is(await box.ok('image', 'inspect', '--format', '{{len .RootFS.Layers}}', 'made'), '2');
  assert.is(
    await box.ok('run', '--rm', '--network', 'none', 'made', 'sh', '-c', 'cat /b; ls /bin/vi 2>&1 | wc -l'),
    'b\n1',
  );
});

test('ADD unpacks archives by their content, beneath the destination', async () => {
  const tar = archive(dir('d'), file('d/f', 'inside'));
  const { build, sh } = await scene({ 'x.bin': tar, 'y.gz': 'no archive' });
  await build('FROM busybox\nADD x.bin y.gz /to/\nADD --unpack=false x.bin /raw');
  assert.is(await sh('cat /to/d/f; ls /to; test -f /raw && echo raw'), 'insided\ny.gz\nraw');
});

test('triggers of ONBUILD are done by who builds on it', async () => {
  const { build, box, sh } = await scene({ 'a.txt': 'x' });
  await build('FROM busybox\nONBUILD COPY a.txt /triggered');
  await box.ok('tag', 'made', 'parent');
  await build('FROM parent\nRUN true');
  assert.is(await sh('cat /triggered'), 'x');
  assert.is(await box.ok('image', 'inspect', '--format', '{{json .Config.OnBuild}}', 'made'), 'null');
});

test.run();
