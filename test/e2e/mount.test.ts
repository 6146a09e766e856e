import { chmodSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, TSBOX } from '../support/cli.ts';
import { busybox, removeContainers, sh } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** --mount, :U, propagation, and devices, seen from inside. */
const test = requires(suite('run --mount and --device'), 'userns', 'busybox');
test.after.each(removeContainers);
const fuse = requires(test, 'fuse');
const ranges = requires(test, 'subid');
const RUN = ['run', '--rm', '--network', 'none'];

async function shared(name: string): Promise<string> {
  const dir = join((await busybox()).home.dir, name);
  mkdirSync(dir, { recursive: true });
  return dir;
}

test('bind: read and write, read-only, source with a comma', async () => {
  const dir = await shared('with,comma');
  writeFileSync(join(dir, 'file'), 'content');
  assert.is(
    await sh('cat /m/file; touch /m/made && echo ok', '--mount', `type=bind,"src=${dir}",dst=/m`),
    'contentok',
  );
  const out = await sh(
    'touch /m/more 2>/dev/null || echo refused',
    '--mount',
    `type=bind,"source=${dir}",target=/m,readonly`,
  );
  assert.is(out, 'refused');
});

test('volume: named, anonymous, nocopy', async () => {
  const box = await busybox();
  await sh('echo kept > /v/file', '--mount', 'source=named,target=/v');
  assert.is(await sh('cat /v/file', '--mount', 'type=volume,src=named,dst=/v,ro'), 'kept');
  assert.is(
    await sh('ls /etc', '--mount', 'type=volume,dst=/etc/x'),
    await sh('ls /etc; true', '--tmpfs', '/etc/x'),
  );
  assert.is(await sh('ls -A /var/log | wc -l', '--mount', 'type=volume,dst=/etc,volume-nocopy'), '0');
  assert.is(await box.ok('volume', 'ls', '-q'), 'named', 'anonymous ones went with --rm');
  await box.ok('volume', 'rm', 'named');
});

test('tmpfs: size and mode', async () => {
  const out = await sh(
    'stat -c %a /t; df -k /t | tail -1 | awk "{print \\$2}"',
    '--mount',
    'type=tmpfs,dst=/t,tmpfs-size=2m,tmpfs-mode=700',
  );
  assert.is(out, '700\n2048');
});

test('a source that vanished between create and start', async () => {
  const box = await busybox();
  const dir = await shared('vanishing');
  await box.ok('create', '--name', 'late', '--network', 'none', '-v', `${dir}:/m`, 'busybox', 'true');
  rmdirSync(dir);
  await box.fails(
    125,
    /mount .*vanishing on \/m: no such file or directory[\s\S]*mkdir -p/,
    'start',
    '-a',
    'late',
  );
  mkdirSync(dir);
  await box.ok('start', '-a', 'late');
});

test('a file over a directory, a directory over a file', async () => {
  const box = await busybox();
  const dir = await shared('kinds');
  writeFileSync(join(dir, 'file'), '');
  await box.fails(
    125,
    /one is a directory and the other a file/,
    ...RUN,
    '-v',
    `${dir}/file:/etc`,
    'busybox',
    'true',
  );
  await box.fails(
    125,
    /one is a directory and the other a file/,
    ...RUN,
    '-v',
    `${dir}:/etc/passwd`,
    'busybox',
    'true',
  );
});

test(':U gives a directory to the container’s user, links and all', async () => {
  const dir = await shared('given');
  const outside = join((await busybox()).home.dir, 'outside');
  writeFileSync(outside, '');
  const before = statSync(outside).uid;
  mkdirSync(join(dir, 'sub'));
  writeFileSync(join(dir, 'sub/file'), 'x');
  assert.is(
    await sh(`ln -s ${outside} /m/link; stat -c %u:%g /m /m/sub/file`, '-v', `${dir}:/m:U`),
    '0:0\n0:0',
  );
  assert.equal([statSync(outside).uid, statSync(join(dir, 'sub/file')).uid], [before, process.getuid?.()]);
});

ranges(':U for another user, then back', async () => {
  const dir = await shared('other');
  writeFileSync(join(dir, 'file'), 'x');
  assert.is(await sh('stat -c %U /m/file; touch /m/made', '-u', 'app', '-v', `${dir}:/m:U`), 'app');
  assert.ok(statSync(join(dir, 'file')).uid > 65_535);
  assert.is(
    await sh('stat -c %u:%g /m/file /m/made', '--mount', `type=bind,src=${dir},dst=/m,U`),
    '0:0\n0:0',
  );
  assert.is(await sh('stat -c %u /v', '-u', '77', '-v', 'given-volume:/v:U'), '77');
  await (await busybox()).ok('volume', 'rm', 'given-volume');
});

test('rslave sees what is mounted later, a plain mount does not, and nothing comes back', async () => {
  const box = await busybox();
  const dir = await shared('slave');
  mkdirSync(join(dir, 'sub'), { recursive: true });
  const script = join(box.home.dir, 'slave.sh');
  // A namespace of our own where we may mount; tsbox is below it.
  writeFileSync(
    script,
    `id=$(${TSBOX} run -d --network none --privileged -v ${dir}:/slave:rslave -v ${dir}:/plain -v ${dir}:/both:rshared busybox sleep 100) || exit 9
mount -t tmpfs here ${dir}/sub && touch ${dir}/sub/from-here
for m in slave plain both; do echo $m $(${TSBOX} exec $id ls /$m/sub); done
${TSBOX} exec --privileged $id sh -c 'mkdir /both/inner; mount -t tmpfs x /both/inner; touch /both/inner/file'
ls ${dir}/inner
${TSBOX} rm -f $id >/dev/null
`,
  );
  chmodSync(script, 0o755);
  const args = [
    '--user',
    '--map-current-user',
    '--keep-caps',
    '--mount',
    '--propagation',
    'shared',
    'sh',
    script,
  ];
  const done = await capture('unshare', args, box.home);
  assert.is(done.stdout, 'slave from-here\nplain\nboth from-here\n', done.stderr);
});

fuse('--device: the node, with its rights, under another name', async () => {
  const out = await sh(
    'stat -c "%F %t:%T" /dev/fuse; test -r /dev/mine && test -w /dev/mine && echo open',
    '--device',
    '/dev/fuse',
    '--device',
    '/dev/fuse:/dev/mine:rw',
  );
  assert.is(out, 'character special file a:e5\nopen');
});

test('--device: a directory of devices, and what is refused', async () => {
  const box = await busybox();
  assert.match(await sh('ls /dev/more', '--device', '/dev/net:/dev/more'), /^tun$|^$/);
  await box.fails(
    125,
    /device \/dev\/nothing: .*no such file/,
    ...RUN,
    '--device',
    '/dev/nothing',
    'busybox',
    'true',
  );
  await box.fails(125, /only root can take that away/, ...RUN, '--device', '/dev/null:r', 'busybox', 'true');
});

test('--device with a CDI name, and --gpus', async () => {
  const box = await busybox();
  const dir = await shared('.config/tsbox/cdi');
  const library = await shared('library');
  writeFileSync(join(library, 'lib.so'), 'elf');
  writeFileSync(
    join(dir, 'gpu.yaml'),
    `cdiVersion: 0.5.0
kind: nvidia.com/gpu
containerEdits:
  env:
  - VISIBLE=void
  mounts:
  - hostPath: ${library}
    containerPath: /opt/library
    options: [ "ro", "nosuid", "bind" ]
devices:
- name: "0"
  containerEdits:
    deviceNodes:
    - path: /dev/gpu0
      hostPath: /dev/zero
- name: all
  containerEdits:
    deviceNodes:
    - path: /dev/gpu0
      hostPath: /dev/zero
    env:
    - ALL=yes
`,
  );
  const script =
    'echo $VISIBLE $ALL; ls /dev/gpu0; cat /opt/library/lib.so; touch /opt/library/x 2>/dev/null || echo ro';
  assert.is(await sh(script, '--gpus', 'all'), 'void yes\n/dev/gpu0\nelfro');
  assert.is(await sh(script, '--device', 'nvidia.com/gpu=0'), 'void\n/dev/gpu0\nelfro');
  await box.fails(
    125,
    /no CDI device nvidia.com\/gpu=7[\s\S]*known: nvidia.com\/gpu=0/,
    ...RUN,
    '--gpus',
    'device=7',
    'busybox',
    'true',
  );
  writeFileSync(join(dir, 'broken.yaml'), 'kind: &x y\n');
  await box.fails(125, /broken.yaml cannot be used: line 1/, ...RUN, '--gpus', 'all', 'busybox', 'true');
  assert.is(readFileSync(join(library, 'lib.so'), 'utf8'), 'elf');
});

test.run();
