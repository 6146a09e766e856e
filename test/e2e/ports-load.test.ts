import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Tsbox } from '../../src/index.ts';
import { openBox } from '../support/cli.ts';
import { nginxDirectory } from '../support/nginx.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { freePort } from '../support/registry.ts';
import { requires, which } from '../support/requires.ts';
import { eventually } from '../support/within.ts';

/** Ports under load: a real server and a real loader, and many that come and go. */
const needs = ['userns', 'busybox', 'slirp4netns', 'tun'] as const;
const test = requires(suite('ports under load'), ...needs);
test.after.each(removeContainers);

const ROUNDS = process.env.TSBOX_TEST_LONG ? 1000 : 100;

test(`${ROUNDS} ports come and go on a container that serves all the while`, async () => {
  const box = await busybox();
  const serve = 'mkdir /www && echo steady > /www/index.html && exec httpd -f -p 80 -h /www';
  const fixed = await freePort();
  const id = await box.ok('run', '-d', '-p', `127.0.0.1:${fixed}:80`, 'busybox', 'sh', '-c', serve);
  const runtimeDir = join(box.home.env.XDG_RUNTIME_DIR ?? '', 'tsbox');
  const tsbox = await Tsbox.open({ root: box.home.store, runtimeDir });
  const page = (port: number): Promise<string> =>
    eventually(5000, `port ${port}`, () =>
      fetch(`http://127.0.0.1:${port}/`).then(
        r => r.text(),
        () => undefined,
      ),
    );
  await page(fixed);
  for (let i = 0; i < ROUNDS; i++) {
    const [added] = await tsbox.publish(id, ['127.0.0.1::80']);
    const port = added?.hostPort ?? 0;
    if (i % 10 === 0) assert.is(await page(port), 'steady\n');
    assert.is((await tsbox.unpublish(id, [`127.0.0.1:${port}:80`])).length, 1);
    if (i % 10 === 0) assert.is(await page(fixed), 'steady\n');
  }
  assert.is(await box.ok('port', id), `80/tcp -> 127.0.0.1:${fixed}`);
});

test.run();

const loaded = requires(suite('nginx and wrk'), ...needs, 'fuse', 'fuse-overlayfs', 'nginx', 'wrk');

loaded('thousands of connections, none lost', async () => {
  const box = openBox();
  const dir = join(box.home.dir, 'web');
  nginxDirectory(dir);
  const port = await freePort();
  const flags = ['-p', `127.0.0.1:${port}:8080`, '-v', `${dir}:/srv`];
  const nginx = ['nginx', '-e', 'stderr', '-c', '/srv/nginx.conf'];
  const id = await box.ok('run', '-d', ...flags, 'host', ...nginx);
  try {
    const url = `http://127.0.0.1:${port}/`;
    const up = await eventually(10_000, 'nginx', () =>
      fetch(url).then(
        r => r.text(),
        () => undefined,
      ),
    );
    assert.is(up, 'hello\n');
    for (const header of ['Connection: close', 'Connection: keep-alive']) {
      const args = ['-t1', '-c200', '-d2', '-H', header, url];
      const done = spawnSync(which('wrk') ?? 'wrk', args, { encoding: 'utf8' });
      assert.is(done.status, 0, done.stderr);
      assert.not.match(done.stdout, /Socket errors|Non-2xx/);
      assert.ok(Number(/Requests\/sec:\s+([\d.]+)/.exec(done.stdout)?.[1]) > 300, done.stdout);
    }
  } finally {
    await box.ok('rm', '-f', id);
  }
});

loaded.run();
