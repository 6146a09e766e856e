import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { collect, statusOf } from '../support/cli.ts';
import { container, hostDirectory } from '../support/copy-scene.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { missingNeed, type Need, requires } from '../support/requires.ts';
import { listTar, tarBytes } from '../support/tar-list.ts';
import { within } from '../support/within.ts';

/** docker's cp, both ways, for containers that run, have run, and never ran. */
const NEEDS: Record<string, Need[]> = {
  overlay: ['overlay'],
  'fuse-overlayfs': ['fuse', 'fuse-overlayfs'],
  vfs: [],
};

for (const [driver, needs] of Object.entries(NEEDS)) {
  const test = requires(suite(`cp with ${driver}`), 'userns', 'busybox', ...needs);
  test.after.each(removeContainers);

  for (const state of ['created', 'running', 'exited'] as const) {
    test(`there and back, ${state}`, async () => {
      const [dir, { box, id }] = await Promise.all([
        hostDirectory(),
        container(state, 'true', '--storage-driver', driver),
      ]);
      mkdirSync(join(dir, 'tree/sub'), { recursive: true });
      writeFileSync(join(dir, 'tree/file'), 'content');
      symlinkSync('/nowhere', join(dir, 'tree/sub/link'));
      utimesSync(join(dir, 'tree/file'), 1234567890, 1234567890);
      const copied = await box('cp', join(dir, 'tree'), `${id}:/srv`);
      assert.match(copied.stderr, /^Successfully copied [\d.]+kB to /);
      await box.ok('cp', '-q', `${id}:/srv/tree`, join(dir, 'back'));
      assert.is(readFileSync(join(dir, 'back/file'), 'utf8'), 'content');
      assert.is(statSync(join(dir, 'back/file')).mtimeMs, 1234567890000);
      assert.is(readlinkSync(join(dir, 'back/sub/link')), '/nowhere');
      if (state === 'created') await box.ok('start', id);
    });
  }

  test.run();
}

const test = requires(suite('cp'), 'userns', 'busybox');
test.after.each(removeContainers);

test('where a copy goes', async () => {
  const dir = await hostDirectory();
  const { box, id, sh } = await container(
    'running',
    'mkdir -p /d/inner; echo f > /d/f; echo old > /old; mkdir /dst',
  );
  mkdirSync(join(dir, 'src'));
  writeFileSync(join(dir, 'src/x'), 'x');
  writeFileSync(join(dir, 'file'), 'file');
  await box.ok('cp', join(dir, 'src'), `${id}:/dst`);
  await box.ok('cp', `${dir}/src/.`, `${id}:/dst`);
  await box.ok('cp', `${dir}/src/`, `${id}:/made/`);
  await box.ok('cp', join(dir, 'file'), `${id}:/old`);
  await box.ok('cp', join(dir, 'file'), `${id}:dst/renamed`);
  assert.is(await sh('cat /dst/src/x /dst/x /made/x /old /dst/renamed'), 'xxxfilefile');
  const to = join(dir, 'to');
  mkdirSync(to);
  await box.with({ cwd: dir }).ok('cp', `${id}:/d/.`, 'to');
  await box.with({ cwd: dir }).ok('cp', `${id}:/d`, './to');
  await box.with({ cwd: dir }).ok('cp', `${id}:/d/f`, './a:b');
  await box.ok('cp', `${id}:/d/inner/.`, join(dir, 'empty'));
  assert.equal(readdirSync(to).sort(), ['d', 'f', 'inner']);
  assert.equal(readdirSync(join(to, 'd')).sort(), ['f', 'inner']);
  assert.is(readFileSync(join(dir, 'a:b'), 'utf8'), 'f\n');
  assert.equal(readdirSync(join(dir, 'empty')), []);
});

test('what is refused, in docker’s words', async () => {
  const dir = await hostDirectory();
  const { box, id } = await container('running', 'mkdir -p /d/x; echo f > /f; mkfifo /fifo');
  mkdirSync(join(dir, 'src'));
  writeFileSync(join(dir, 'src/x'), 'x');
  writeFileSync(join(dir, 'file'), 'file');
  const refused: [RegExp, string, string][] = [
    [/could not find the file "\/nothing" in the container/, `${id}:/nothing`, dir],
    [/not a directory/, `${id}:/f/`, dir],
    [/cannot copy directory/, `${id}:/d`, join(dir, 'file')],
    [/no such directory/, `${id}:/f`, `${dir}/new/`],
    [/invalid output path: directory ".*" does not exist/, `${id}:/f`, join(dir, 'a/b')],
    [/invalid output path: "\/dev\/null" must be a directory or a regular file/, `${id}:/f`, '/dev/null'],
    [/no such file or directory/, join(dir, 'nothing'), `${id}:/`],
    [/cannot copy directory/, join(dir, 'src'), `${id}:/f`],
    [/no such directory/, join(dir, 'file'), `${id}:/new/`],
    [/could not find the file "\/a" in the container/, join(dir, 'file'), `${id}:/a/b`],
    [/cannot overwrite directory "x" with non-directory/, `${dir}/src/.`, `${id}:/d`],
    [
      /"\/dev\/null" must be a directory or a regular file: got a device/,
      join(dir, 'file'),
      `${id}:/dev/null`,
    ],
    [/must be a directory/, '-', `${id}:/f`],
    [/must specify at least one container source/, 'a', 'b'],
    [/copying between containers is not supported/, 'a:/x', 'b:/y'],
    [/no such container/, 'nobody:/x', dir],
    [/source can not be empty/, '', `${id}:/`],
  ];
  for (const [words, from, to] of refused) await box.fails(1, words, 'cp', from, to);
  assert.equal(readdirSync(dir).sort(), ['file', 'src'], 'nothing was made');
});

test('archives on stdin and stdout keep names and owners', async () => {
  const { box, id, sh } = await container('running', 'mkdir -p /d/sub; echo one > /d/sub/f');
  const names = listTar(Buffer.from(await tarBytes(box, 'cp', `${id}:/d`, '-')));
  assert.equal(names, ['d/', 'd/sub/', 'd/sub/f']);
  const archive = spawnSync('tar', ['-C', await sourceTree(), '--owner=7', '--group=8', '-c', '.']).stdout;
  await box.with({ input: archive }).ok('cp', '-', `${id}:/srv`);
  assert.is(await sh('cat /srv/deep/file'), 'piped');
  if (missingNeed('subid') === undefined) assert.is(await sh('stat -c %u:%g /srv/deep/file'), '7:8');
  const packed = gzipSync(archive);
  await box.with({ input: packed }).ok('cp', '-', `${id}:/home`);
  assert.is(await sh('cat /home/deep/file'), 'piped');
  await box
    .with({ input: 'no archive at all' })
    .fails(125, /truncated|checksum|archive/, 'cp', '-', `${id}:/srv`);
});

test('a silent stdin keeps nobody waiting for an error', async () => {
  const { box, id } = await container('created');
  const child = box.start('cp', '-', `${id}:/nowhere`);
  const said = collect(child.stderr);
  assert.is(await within(20_000, statusOf(child), 'the end of cp'), 1);
  assert.match(said(), /could not find the file "\/nowhere"/);
});

async function sourceTree(): Promise<string> {
  const dir = await hostDirectory();
  mkdirSync(join(dir, 'deep'));
  writeFileSync(join(dir, 'deep/file'), 'piped');
  return dir;
}

test('owners: root’s inside, the caller’s outside, -a keeps numbers where it can', async () => {
  const dir = await hostDirectory();
  const { box, id, sh } = await container('running', 'echo x > /mine; chmod 4755 /mine');
  writeFileSync(join(dir, 'f'), 'f');
  await box.ok('cp', join(dir, 'f'), `${id}:/plain`);
  assert.is(await sh('stat -c %u:%g /plain'), '0:0');
  if (missingNeed('subid') === undefined) {
    await box.ok('cp', '-a', join(dir, 'f'), `${id}:/kept`);
    assert.is(await sh('stat -c %u:%g /kept'), `${process.getuid?.()}:${process.getgid?.()}`);
    await sh('chown 5:6 /mine; chmod 4755 /mine');
  }
  await box.ok('cp', `${id}:/mine`, join(dir, 'out'));
  const out = statSync(join(dir, 'out'));
  assert.is(out.uid, process.getuid?.());
  assert.is(out.mode & 0o7777, 0o755, 'the container’s program does not run as us for everybody');
});

test('links: -L, a link in the way, a link as destination; the host’s are the user’s own', async () => {
  const dir = await hostDirectory();
  const script =
    'mkdir /real; echo 1 > /real/v1; ln -s v1 /real/now; ln -s /real /way; ln -s /etc/none /broken';
  const { box, id, sh } = await container('running', script);
  await box.ok('cp', `${id}:/way/now`, join(dir, 'as-link'));
  await box.ok('cp', '-L', `${id}:/way/now`, dir);
  assert.is(readlinkSync(join(dir, 'as-link')), 'v1');
  assert.is(readFileSync(join(dir, 'now'), 'utf8'), '1\n');
  await box.fails(1, /could not find the file/, 'cp', '-L', `${id}:/broken`, dir);
  writeFileSync(join(dir, 'f'), 'f');
  symlinkSync('f', join(dir, 'l'));
  await box.ok('cp', join(dir, 'f'), `${id}:/way`);
  await box.ok('cp', join(dir, 'l'), `${id}:/way/link`);
  await box.ok('cp', '-L', join(dir, 'l'), `${id}:/way/file`);
  assert.is(await sh('cat /real/f; readlink /real/link; cat /real/file'), 'ff\nf');
});

test('a replaced link is not written through', async () => {
  const dir = await hostDirectory();
  const { box, id, sh } = await container('running', 'echo kept > /kept; mkdir /t; ln -s /kept /t/f');
  writeFileSync(join(dir, 'f'), 'new');
  await box.ok('cp', join(dir, 'f'), `${id}:/t/`);
  assert.is(await sh('cat /kept /t/f'), 'kept\nnew');
  writeFileSync(join(dir, 'safe'), 'safe');
  mkdirSync(join(dir, 'to/t'), { recursive: true });
  symlinkSync('../../safe', join(dir, 'to/t/f'));
  await box.ok('cp', `${id}:/t`, join(dir, 'to'));
  assert.is(readFileSync(join(dir, 'safe'), 'utf8'), 'safe');
  assert.is(readFileSync(join(dir, 'to/t/f'), 'utf8'), 'new');
});

test('names of every byte, hard links, holes, closed directories, FIFOs', async () => {
  const dir = await hostDirectory();
  const { box, id, sh } = await container('running', 'mkdir /t');
  const tree = join(dir, 'tree');
  mkdirSync(join(tree, 'closed'), { recursive: true });
  const odd = Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1).filter(b => b !== 0x2f));
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), odd.subarray(0, 200)]), 'low');
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), odd.subarray(120)]), 'high');
  writeFileSync(join(tree, 'one'), 'linked');
  linkSync(join(tree, 'one'), join(tree, 'two'));
  writeFileSync(join(tree, 'hole'), '');
  truncateSync(join(tree, 'hole'), 1 << 28);
  spawnSync('mkfifo', [join(tree, 'fifo')]);
  writeFileSync(join(tree, 'closed/f'), 'in');
  chmodSync(join(tree, 'closed'), 0o555);
  await box.ok('cp', tree, `${id}:/t`);
  assert.is(
    await sh('cd /t/tree; stat -c %h one; stat -c %s hole; test $(stat -c %b hole) -lt 100; ls closed'),
    `2\n${1 << 28}\nf`,
  );
  await box.ok('cp', `${id}:/t/tree`, join(dir, 'back'));
  const back = join(dir, 'back');
  const names = (at: string): string[] => readdirSync(at, { encoding: 'latin1' }).sort();
  assert.equal(names(back), names(tree));
  assert.is(statSync(join(back, 'one')).ino, statSync(join(back, 'two')).ino);
  assert.ok(statSync(join(back, 'hole')).blocks < 100, 'still sparse');
  assert.ok(lstatSync(join(back, 'fifo')).isFIFO());
  assert.is(statSync(join(back, 'closed')).mode & 0o777, 0o555);
  for (const made of [tree, back]) chmodSync(join(made, 'closed'), 0o755);
});

for (const state of ['created', 'running'] as const) {
  test(`volumes and binds are part of it, ${state}`, async () => {
    const dir = await hostDirectory();
    mkdirSync(join(dir, 'bound'));
    writeFileSync(join(dir, 'bound/b'), 'b');
    const flags = [
      '-v',
      `vol-${state}:/vol`,
      '-v',
      `${join(dir, 'bound')}:/bound`,
      '-v',
      `ro-${state}:/ro:ro`,
    ];
    const { box, id } = await container(state, 'true', ...flags);
    writeFileSync(join(dir, 'f'), 'f');
    await box.ok('cp', join(dir, 'f'), `${id}:/vol/`);
    await box.ok('cp', join(dir, 'f'), `${id}:/bound/`);
    await box.ok('cp', `${id}:/bound/b`, join(dir, 'b'));
    assert.is(readFileSync(join(dir, 'bound/f'), 'utf8'), 'f');
    assert.is(readFileSync(join(dir, 'b'), 'utf8'), 'b');
    const other = ['run', '--rm', '--network', 'none', '-v', `vol-${state}:/v`, 'busybox', 'cat', '/v/f'];
    assert.is(await box.ok(...other), 'f');
    await box.fails(1, /mounted volume is marked read-only/, 'cp', join(dir, 'f'), `${id}:/ro/`);
  });

  test(`a read-only container takes files in its volumes alone, ${state}`, async () => {
    const dir = await hostDirectory();
    const { box, id } = await container(state, 'true', '--read-only', '-v', `rw-${state}:/vol`);
    writeFileSync(join(dir, 'f'), 'f');
    await box.fails(1, /container rootfs is marked read-only/, 'cp', join(dir, 'f'), `${id}:/`);
    await box.ok('cp', join(dir, 'f'), `${id}:/vol/`);
    await box.ok('cp', `${id}:/etc/passwd`, join(dir, 'passwd'));
    assert.ok(existsSync(join(dir, 'passwd')));
  });
}

test('several at once into a container that does not run, which is started meanwhile', async () => {
  const dir = await hostDirectory();
  const { box, id } = await container('created', 'ls /in | wc -l; sleep 100');
  writeFileSync(join(dir, 'f'), 'f');
  mkdirSync(join(dir, 'in'));
  await box.ok('cp', join(dir, 'in'), `${id}:/in`);
  const copies = [1, 2, 3, 4].map(n => box.ok('cp', join(dir, 'f'), `${id}:/in/${n}`));
  await Promise.all([...copies, box.ok('start', id)]);
  assert.is(await box.ok('exec', id, 'sh', '-c', 'ls /in | wc -l'), '4');
});

const keepId = requires(suite('cp keep-id'), 'userns', 'busybox', 'subid', 'fuse', 'fuse-overlayfs');
keepId.after.each(removeContainers);

for (const state of ['created', 'running'] as const) {
  keepId(`the image’s files are root’s, copies too, ${state}`, async () => {
    const dir = await hostDirectory();
    const { box, id } = await container(state, 'true', '--userns', 'keep-id');
    writeFileSync(join(dir, 'f'), 'f');
    await box.ok('cp', join(dir, 'f'), `${id}:/f`);
    await box.ok('cp', `${id}:/etc/passwd`, join(dir, 'passwd'));
    if (state === 'created') await box.ok('start', id);
    if (state === 'running') assert.is(await box.ok('exec', '-u', '0', id, 'stat', '-c', '%u', '/f'), '0');
  });
}

const host = requires(suite('cp of the image host'), 'userns', 'busybox', 'fuse', 'fuse-overlayfs');
host.after.each(removeContainers);

host('out of the view, and into its upper directory alone', async () => {
  const dir = await hostDirectory();
  const box = await busybox();
  const id = await box.ok('create', '--network', 'none', 'host', 'cat', '/opt/cp-test');
  await box.ok('cp', `${id}:/etc/hostname`, join(dir, 'hostname'));
  writeFileSync(join(dir, 'f'), 'into the view');
  await box.ok('cp', join(dir, 'f'), `${id}:/opt/cp-test`);
  assert.not(existsSync('/opt/cp-test'));
  assert.is(await box.ok('start', '-a', id), 'into the view');
});

test.run();
keepId.run();
host.run();
