import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busyboxImage, dockerArchive, layerWith } from '../support/images.ts';
import { busybox, field, removeContainers, sh } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { eventually } from '../support/within.ts';

/** The files that are made for a container, and what is only recorded with it. */
const test = requires(suite('run: files and records'), 'userns', 'busybox');
test.after.each(removeContainers);
const online = requires(test, 'slirp4netns', 'tun');
const RUN = ['run', '--rm', '--network', 'none'];

test('resolv.conf: --dns, --dns-search, --dns-option', async () => {
  const out = await sh(
    'cat /etc/resolv.conf',
    '--dns',
    '10.9.8.7',
    '--dns-search',
    'a.example',
    '--dns-search',
    'b.example',
    '--dns-option',
    'ndots:3',
    '--dns-opt',
    'rotate',
  );
  assert.is(out, 'search a.example b.example\nnameserver 10.9.8.7\noptions ndots:3 rotate');
});

test('each of the files is a mount from the container’s directory, readable for all', async () => {
  const script =
    'for f in hosts hostname resolv.conf; do grep -c " /etc/$f " /proc/self/mounts; stat -c %a /etc/$f; done';
  assert.is(await sh(script), '1\n644\n1\n644\n1\n644');
});

test('what the user mounts there is what counts', async () => {
  const file = join((await busybox()).home.dir, 'own-hosts');
  writeFileSync(file, '1.1.1.1 mine\n');
  assert.is(await sh('cat /etc/hosts', '-v', `${file}:/etc/hosts:ro`), '1.1.1.1 mine');
});

test('links of the image under those names lead nowhere on the host', async () => {
  const box = await busybox();
  const canary = join(box.home.dir, 'canary');
  writeFileSync(canary, 'untouched');
  const image = busyboxImage();
  const links = layerWith({
    'etc/hosts': { link: canary },
    'etc/hostname': { link: `../../../../../..${canary}` },
    'etc/resolv.conf': { link: '../run/somewhere/resolv.conf' },
    'etc/passwd': { link: canary },
  });
  const archive = join(box.home.dir, 'links.tar');
  await box.ok(
    'load',
    '-i',
    dockerArchive({ ...image, layers: [...image.layers, links] }, 'links:latest', archive),
  );
  const out = await box.ok(
    ...RUN,
    '--hostname',
    'web',
    '-u',
    '0:0',
    'links',
    'sh',
    '-c',
    'cat /etc/hostname; grep -c web /etc/hosts; echo x >> /etc/hosts',
  );
  assert.equal([out, readFileSync(canary, 'utf8')], ['web\n1', 'untouched']);
});

test('-u with a passwd that is a link: no line, no harm', async () => {
  const box = await busybox();
  const image = busyboxImage();
  const archive = join(box.home.dir, 'inside-link.tar');
  const layer = layerWith({ 'etc/passwd': { link: '/etc/real' }, 'etc/real': 'root:x:0:0::/:/bin/sh\n' });
  await box.ok(
    'load',
    '-i',
    dockerArchive({ ...image, layers: [...image.layers, layer] }, 'inside-link:latest', archive),
  );
  // in single mode there is nobody else to be
  const done = await box(
    ...RUN,
    '-u',
    '4321',
    'inside-link',
    'sh',
    '-c',
    'cat /etc/real; ls -A /dev | grep tsbox',
  );
  if (done.code !== 125) assert.is(done.stdout, 'root:x:0:0::/:/bin/sh\n');
});

test('what is recorded is in inspect', async () => {
  const box = await busybox();
  const flags = [
    '--annotation',
    'org.example=a=b',
    '--restart',
    'on-failure:3',
    '--log-opt',
    'max-size=1m',
    '--log-opt',
    'max-file=2',
  ];
  const ports = ['--expose', '80', '--expose', '90-91/udp', '-P'];
  await box.ok(
    'create',
    '--name',
    'kept',
    ...flags,
    ...ports,
    '--health-cmd',
    'test -e /ok',
    '--health-interval',
    '7s',
    'busybox',
    'true',
  );
  const get = async (template: string) => JSON.parse(await field('kept', `{{json ${template}}}`));
  assert.equal(await get('.HostConfig.Annotations'), { 'org.example': 'a=b' });
  assert.equal(await get('.HostConfig.RestartPolicy'), { Name: 'on-failure', MaximumRetryCount: 3 });
  assert.equal(await get('.HostConfig.LogConfig'), {
    Type: 'json-file',
    Config: { 'max-size': '1m', 'max-file': '2' },
  });
  assert.equal(Object.keys(await get('.HostConfig.PortBindings')).sort(), ['80/tcp', '90/udp', '91/udp']);
  assert.equal(await get('.Config.ExposedPorts'), { '80/tcp': {}, '90/udp': {}, '91/udp': {} });
  assert.match(await field('kept', '{{json .Config.Healthcheck}}'), /test -e \/ok/);
});

online('-P: each exposed port answers on a free one of the machine', async () => {
  const box = await busybox();
  const script = 'mkdir /www && echo exposed > /www/index.html && exec httpd -f -p 8080 -h /www';
  const id = await box.ok('run', '-d', '--expose', '8080', '-P', 'busybox', 'sh', '-c', script);
  const port = await field(id, '{{(index (index .NetworkSettings.Ports "8080/tcp") 0).HostPort}}');
  const url = `http://127.0.0.1:${port}/`;
  const text = await eventually(10_000, url, () =>
    fetch(url, { signal: AbortSignal.timeout(3000) })
      .then(r => r.text())
      .catch(() => undefined),
  );
  assert.is(text, 'exposed\n');
});

test('-P: on the configured address, as -p', async () => {
  const box = await busybox();
  const config = join(box.home.dir, 'publish.toml');
  writeFileSync(config, '[network]\npublish_address = "127.0.0.1"\n');
  const flags = ['--name', 'inward', '--expose', '80', '-P', '-p', '8081'];
  await box.ok('--config', config, 'create', ...flags, 'busybox', 'true');
  const bindings = JSON.parse(await field('inward', '{{json .HostConfig.PortBindings}}'));
  for (const port of ['80/tcp', '8081/tcp']) assert.is(bindings[port][0].HostIp, '127.0.0.1', port);
  await box.ok('rm', 'inward');
});

test('an image’s health check counts, is changed, and is left out', async () => {
  const box = await busybox();
  const image = busyboxImage({ Healthcheck: { Test: ['CMD', 'true'], Interval: 9e9, Retries: 5 } });
  await box.ok('load', '-i', dockerArchive(image, 'checked:latest', join(box.home.dir, 'checked.tar')));
  const check = async (...flags: string[]) => {
    const id = await box.ok('create', ...flags, 'checked', 'true');
    const path = join(box.home.dir, '.local/share/tsbox/containers', id, 'config.json');
    return JSON.parse(readFileSync(path, 'utf8')).healthcheck;
  };
  const standard = {
    test: ['CMD', 'true'],
    interval: 9000,
    timeout: 30000,
    startPeriod: 0,
    startInterval: 5000,
    retries: 5,
  };
  assert.equal(await check(), standard);
  assert.equal(await check('--health-timeout', '1m', '--health-retries', '2'), {
    ...standard,
    timeout: 60000,
    retries: 2,
  });
  assert.is(await check('--no-healthcheck'), undefined);
});

/** The rest of the table is in test/unit/engine/create-flags.test.ts. */
const BAD: [string[], RegExp][] = [
  [['--dns', 'dns.example'], /--dns "dns.example"/],
  [['--expose', '9-8'], /--expose "9-8"/],
  [['--ip', '10.0.2.7'], /--ip 10.0.2.7: there is only loopback/],
  [['--restart', 'sometimes'], /restart policy "sometimes" is not known[\s\S]*unless-stopped/],
  [['--log-opt', 'tag=x'], /log option "tag=x" is not known[\s\S]*max-size/],
  [['--health-interval', '5s'], /no health check to change/],
];

test('bad values are one line each', async () => {
  const box = await busybox();
  for (const [flags, message] of BAD) await box.fails(125, message, ...RUN, ...flags, 'busybox', 'true');
});

test.run();
