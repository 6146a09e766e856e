import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';

/** Networks that come and go under a container that runs. */
const test = requires(suite('network connect, disconnect'), 'userns', 'busybox', 'slirp4netns', 'tun', 'nft');
const LONG = Boolean(process.env.TSBOX_TEST_LONG);

const inside = async (name: string, script: string): Promise<string> =>
  (await busybox()).ok('exec', name, 'sh', '-c', script);
const up = async (name: string, ...flags: string[]): Promise<string> =>
  (await busybox()).ok('run', '-d', '--name', name, '--hostname', name, ...flags, 'busybox', 'sleep', '1000');
const address = async (name: string, network: string): Promise<string> =>
  (await busybox()).ok('inspect', '-f', `{{.NetworkSettings.Networks.${network}.IPAddress}}`, name);

test.before(async () => {
  const box = await busybox();
  for (const name of ['red', 'blue']) await box.ok('network', 'create', '--internal', name);
});
test.after.each(removeContainers);
test.after(async () => {
  await removeContainers();
  await (await busybox()).ok('network', 'prune', '-f');
});

test('hosts and resolv.conf follow; what was written there by hand stays', async () => {
  const box = await busybox();
  await up('one', '--network', 'red');
  await up('beside', '--network', 'container:one');
  await inside('one', 'echo 10.9.9.9 mine >> /etc/hosts');
  await box.ok('network', 'connect', 'blue', 'one');
  const [red, blue] = [await address('one', 'red'), await address('one', 'blue')];
  for (const part of [`${red}\tone`, `${blue}\tone`, '10.9.9.9 mine'])
    assert.match(await inside('one', 'cat /etc/hosts'), part);
  assert.match(await inside('beside', 'cat /etc/hosts'), `${blue}\tone`);
  const server = (network: string) => `nameserver ${network.replace(/\d+$/, '1')}`;
  assert.match(await inside('one', 'cat /etc/resolv.conf'), server(red));
  await up('other', '--network', 'blue');
  await box.ok('network', 'disconnect', 'red', 'one');
  const hosts = await inside('one', 'cat /etc/hosts');
  assert.not.match(hosts, red);
  assert.match(hosts, '10.9.9.9 mine');
  const resolv = await inside('one', 'cat /etc/resolv.conf');
  assert.equal([resolv.includes(server(blue)), resolv.includes(server(red))], [true, false]);
  assert.is(await inside('beside', 'cat /etc/resolv.conf'), resolv);
  assert.match(await inside('one', 'ping -c 1 -W 3 other'), '1 packets received');
});

test('a network that was removed while a container did not run is left by its name', async () => {
  const box = await busybox();
  await box.ok('network', 'create', '--internal', 'gone');
  await box.ok('create', '--name', 'stays', '--network', 'red', '--network', 'gone', 'busybox', 'true');
  await box.ok('network', 'rm', 'gone');
  assert.is((await box('start', 'stays')).code, 1);
  await box.ok('network', 'disconnect', 'gone', 'stays');
  await box.ok('start', 'stays');
  assert.is((await box('network', 'disconnect', 'gone', 'stays')).code, 1);
});

const ROUNDS = LONG ? 40 : 2;

test(`a storm of connects and disconnects, ${ROUNDS} rounds, several at once`, async () => {
  const box = await busybox();
  const names = ['aa', 'bb', 'cc'];
  for (const name of names) await up(name, '--network', 'red');
  for (let round = 0; round < ROUNDS; round++) {
    const connected = await Promise.all(names.map(name => box('network', 'connect', 'blue', name)));
    assert.equal(
      connected.map(done => done.stderr),
      names.map(() => ''),
    );
    // The same twice at the same time: one of them is told so.
    const left = await Promise.all(
      names.flatMap(name => [1, 2].map(() => box('network', 'disconnect', 'blue', name))),
    );
    assert.is(
      left.filter(done => done.code === 0).length,
      names.length,
      left.map(done => done.stderr).join(''),
    );
  }
  for (const name of names) {
    assert.is(await inside(name, 'ls /sys/class/net | grep -c eth'), '1');
    assert.match(await inside(name, `ping -c 1 -W 3 ${names[0]}`), '1 packets received');
  }
  assert.is(await box.ok('network', 'inspect', '-f', '{{len .Containers}}', 'blue'), '0');
  await box.ok('network', 'rm', 'blue');
  await box.ok('network', 'create', '--internal', 'blue');
});

test('two networks at the same moment: an interface for each', async () => {
  const box = await busybox();
  await box.ok('network', 'create', '--internal', 'green');
  await up('one', '--network', 'red');
  const both = ['blue', 'green'];
  const done = await Promise.all(both.map(network => box('network', 'connect', network, 'one')));
  assert.equal(
    done.map(each => each.stderr),
    ['', ''],
  );
  assert.is(await inside('one', 'ls /sys/class/net | grep -c eth'), '3');
  const networks = JSON.parse(await box.ok('inspect', 'one'))[0].NetworkSettings.Networks;
  assert.equal(Object.keys(networks).sort(), ['blue', 'green', 'red']);
});

test.run();
