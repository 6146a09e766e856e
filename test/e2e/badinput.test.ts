import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Box, openBox } from '../support/cli.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { busyboxImage, dockerArchive } from '../support/images.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { freePort } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';

/** Each: one clear line, docker's status, nothing half-made left behind. */
const test = requires(suite('bad input'), 'userns', 'busybox');
test.after.each(removeContainers);
const RUN = ['run', '--rm', '--network', 'none'];

async function assertNothingLeft(box: Box): Promise<void> {
  assert.is(await box.ok('ps', '-aq'), '', 'containers');
  for (const dir of ['tmp', 'containers']) {
    const names = readdirSync(join(box.home.store, dir)).filter(name => !name.startsWith('.'));
    assert.equal(names, [], dir);
  }
}

test('unknown command, flag, image, name', async () => {
  const box = await busybox();
  await box.fails(125, /'?frobnicate'?/, 'frobnicate');
  await box.fails(125, /unknown flag.*--frobnicate/, ...RUN, '--frobnicate', 'busybox', 'true');
  await box.fails(125, /unknown flag.*-Q/, 'ps', '-Q');
  await box.fails(125, /no-such-image/, ...RUN, '--pull', 'never', 'no-such-image', 'true');
  await box.fails(1, /nobody/, 'stop', 'nobody');
  await assertNothingLeft(box);
});

test('a mistyped verb or flag gets the one that was meant', async () => {
  const box = await busybox();
  assert.match((await box('inspct')).stderr, /inspect/);
  assert.match((await box('run', '--entripoint', 'x', 'busybox')).stderr, /--entrypoint/);
});

test('missing and superfluous operands', async () => {
  const box = await busybox();
  for (const verb of [
    'run',
    'exec',
    'logs',
    'stop',
    'rm',
    'inspect',
    'tag',
    'rmi',
    'pull',
    'kill',
    'wait',
    'start',
  ]) {
    const done = await box(verb);
    assert.is(done.code, 125, `${verb}: ${done.stderr}`);
    assert.is(done.stdout, '', verb);
  }
  await box.fails(125, /./, 'logs', 'a', 'b');
  await box.fails(125, /./, 'tag', 'a', 'b', 'c');
});

test('malformed references', async () => {
  const box = await busybox();
  for (const name of [
    '',
    'UPPER',
    'a//b',
    'a:b:c',
    'x@sha256:short',
    '-x',
    'a b',
    '../x',
    'a@md5:abc',
    `a:${'t'.repeat(200)}`,
  ]) {
    const done = await box('pull', '--', name);
    assert.is(done.code, 125, `${JSON.stringify(name)}: ${done.stderr}`);
    assert.not.match(done.stderr, /unexpected|\n\s+at /, name);
  }
  await assertNothingLeft(box);
});

test('malformed options of run', async () => {
  const box = await busybox();
  const cases = [
    ['--name', 'has space'],
    ['--name', '../up'],
    ['-w', 'relative'],
    ['-u', 'nobody-here'],
    ['-u', '-1'],
    ['-u', '4294967296'],
    ['--hostname', 'x'.repeat(300)],
    ['--tmpfs', 'relative'],
    ['--ulimit', 'nonsense=1'],
    ['--shm-size', 'much'],
    ['--cap-add', 'CAP_NONSENSE'],
    ['--security-opt', 'nonsense'],
    ['--stop-signal', 'SIGNONSENSE'],
    ['--env-file', '/not/there'],
    ['--pull', 'sometimes'],
    ['--sysctl', 'kernel.hostname'],
    ['--add-host', 'no-colon'],
    ['--label', ''],
    ['-e', '=x'],
  ];
  for (const flags of cases) {
    const done = await box(...RUN, ...flags, 'busybox', 'true');
    assert.is(done.code, 125, `${flags.join(' ')}: ${done.code} ${done.stderr}`);
    assert.not.match(done.stderr, /unexpected|\n\s+at /, flags.join(' '));
    assert.ok(done.stderr.startsWith('tsbox: '), done.stderr);
  }
  await assertNothingLeft(box);
});

test('a name already taken', async () => {
  const box = await busybox();
  const id = await box.ok('create', '--name', 'mine', 'busybox', 'true');
  await box.fails(
    1,
    new RegExp(`mine.*${id.slice(0, 12)}|${id.slice(0, 12)}.*mine`),
    'create',
    '--name',
    'mine',
    'busybox',
    'true',
  );
  await box.ok('rm', id);
  await assertNothingLeft(box);
});

test('a truncated and a corrupt archive', async () => {
  const box = openBox(tempHome('archives'));
  const { readFileSync } = await import('node:fs');
  const whole = readFileSync(dockerArchive(busyboxImage(), 'x:latest', join(box.home.dir, 'x.tar')));
  const bad: Record<string, Buffer> = {
    truncated: whole.subarray(0, whole.length / 2),
    garbage: Buffer.alloc(10_000, 'garbage'),
    empty: Buffer.alloc(0),
    'other bytes': Buffer.from(whole.map((b, i) => (i > 4096 && i % 4099 === 0 ? b ^ 0xff : b))),
  };
  for (const [name, bytes] of Object.entries(bad)) {
    const path = join(box.home.dir, 'bad.tar');
    writeFileSync(path, bytes);
    const done = await box('load', '-i', path);
    assert.is(done.code, 125, `${name}: ${done.stderr}`);
    assert.ok(done.stderr.split('\n').length <= 4, done.stderr);
    assert.is(await box.ok('images', '-aq'), '', name);
    assert.equal(readdirSync(join(box.home.store, 'tmp')), [], name);
  }
  await box.fails(125, /not-there/, 'load', '-i', '/not-there');
});

test('a registry that is down', async () => {
  const box = openBox(tempHome('down'), { limit: 60_000 });
  const port = await freePort();
  const done = await box.fails(125, new RegExp(`127.0.0.1:${port}`), 'pull', `127.0.0.1:${port}/x`);
  assert.match(done.stderr, /refused|reach|connect/i);
});

test('a registry that never answers is given up', async () => {
  const box = openBox(tempHome('silent'), { limit: 100_000, env: { TSBOX_HTTP_TIMEOUT: '2' } });
  const server = createServer(() => {});
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const child = box.start('pull', `127.0.0.1:${port}/x`);
  const status = new Promise<number | null>(resolve => child.once('close', resolve));
  setTimeout(() => child.kill('SIGINT'), 1500);
  assert.is(await status, 130, 'Ctrl-C ends it at once');
  server.close();
});

test('a registry that answers HTML, wrong digests, broken manifests', async () => {
  const registry = await startFakeRegistry();
  const box = openBox(tempHome('liar'), { limit: 60_000 });
  const [layer = Buffer.alloc(0)] = busyboxImage().layers;
  registry.addImage('app', 'latest', [layer]);
  const name = `${registry.host}/app`;
  const html = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Please log in</html>' };
  registry.mischief = () => html;
  const done = await box.fails(125, /HTML|html|manifest|registry/, 'pull', name);
  assert.not.match(done.stderr, /Unexpected token/);
  registry.mischief = request => (/blobs/.test(request.path) ? { corrupt: true } : undefined);
  await box.fails(125, /digest|match/i, 'pull', '-q', name);
  registry.mischief = request => (/blobs/.test(request.path) ? { truncate: 100 } : undefined);
  await box.fails(125, /./, 'pull', '-q', name);
  registry.addManifest('app', 'empty', 'application/vnd.oci.image.manifest.v1+json', Buffer.from('{}'));
  registry.mischief = () => undefined;
  await box.fails(125, /manifest/, 'pull', `${name}:empty`);
  assert.is(await box.ok('images', '-aq'), '');
  assert.equal(readdirSync(join(box.home.store, 'tmp')), []);
  await box.ok('pull', '-q', name);
  await registry.stop();
});

test('a full disk: one line, nothing kept, and the store works when there is room again', async () => {
  const box = openBox(tempHome('full'));
  const archive = dockerArchive(busyboxImage(), 'x:latest', join(box.home.dir, 'x.tar'));
  // RLIMIT_FSIZE stands in for a full disk: writing past it fails like a quota does
  const limited = [
    '-c',
    'trap "" XFSZ; ulimit -f 300; exec "$@"',
    'sh',
    (await import('../support/cli.ts')).TSBOX,
  ];
  const { capture } = await import('../support/cli.ts');
  const done = await capture('sh', [...limited, 'load', '-i', archive], box.home);
  assert.is(done.code, 125, `${done.stdout}${done.stderr}`);
  assert.not.match(done.stderr, /\n\s+at /);
  assert.is(await box.ok('images', '-aq'), '');
  assert.equal(readdirSync(join(box.home.store, 'tmp')), []);
  await box.ok('load', '-i', archive);
});

test('a store that cannot be written, a store of another version', async () => {
  const box = openBox(tempHome('store'));
  await box.fails(125, /\/proc\/nowhere/, '--root', '/proc/nowhere', 'ps');
  await box.ok('ps');
  const [file] = readdirSync(box.home.store).filter(name => /version|format/.test(name));
  assert.ok(file, readdirSync(box.home.store).join(' '));
  const { readFileSync } = await import('node:fs');
  const path = join(box.home.store, file ?? '');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/\d+/, '999'));
  await box.fails(125, /999|version/, 'ps');
});

test('a configuration with an error names file and line', async () => {
  const box = openBox(tempHome('config'));
  const path = join(box.home.dir, 'config.toml');
  writeFileSync(path, '[storage]\ndriver = "magic"\n');
  await box.fails(125, /config\.toml:2.*driver/, '--config', path, 'ps');
  await box.fails(125, /missing\.toml/, '--config', '/missing.toml', 'ps');
});

test('a damaged record is one line, and other containers are still listed', async () => {
  const box = await busybox();
  const id = await box.ok('create', '--name', 'damaged', 'busybox', 'true');
  const other = await box.ok('create', '--name', 'whole', 'busybox', 'true');
  writeFileSync(join(box.home.store, 'containers', id, 'config.json'), '{"version":1,');
  const done = await box('ps', '-a', '--format', '{{.Names}}');
  assert.match(done.stdout, /whole/);
  assert.not.match(done.stderr, /\n\s+at |Unexpected/);
  await box('rm', '-f', id);
  await box.ok('rm', other);
});

test('help: for every verb, on stdout, with status 0', async () => {
  const box = await busybox();
  const overview = await box.ok('--help');
  for (const verb of ['run', 'exec', 'ps', 'pull', 'volume', 'doctor']) assert.match(overview, verb);
  for (const verb of ['run', 'exec', 'ps', 'logs', 'pull', 'images', 'volume ls']) {
    assert.match(await box.ok(...verb.split(' '), '--help'), /Usage|usage/, verb);
  }
  assert.match(await box.ok('--version'), /\d+\.\d+\.\d+/);
});

test.run();
