import { existsSync, readdirSync, statfsSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Tsbox, TsboxError } from '../../src/index.ts';
import { loadedImage, openLibrary } from '../support/library.ts';
import { requires } from '../support/requires.ts';

/** A sandbox starts as a container does: with its limits, and in its networks. */
const test = requires(suite('how a sandbox starts'), 'userns', 'busybox');
const networked = requires(test, 'slirp4netns', 'tun', 'nft');
let tsbox: Tsbox;
const warnings: string[] = [];

const MiB = 1024 * 1024;
/** CGROUP2_SUPER_MAGIC */
const unified = statfsSync('/sys/fs/cgroup').type === 0x63677270;

test.before(async () => {
  tsbox = await openLibrary('starts', undefined, {
    debug: () => {},
    warn: text => void warnings.push(text),
    info: () => {},
    progress: () => {},
  });
  await loadedImage(tsbox, 'box');
  await tsbox.createNetwork('web', { subnets: ['10.199.7.0/24'] });
});

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: TsboxError) => error.code,
  );
const entries = (...path: string[]): string[] => {
  const directory = join(tsbox.root, ...path);
  return existsSync(directory) ? readdirSync(directory).filter(name => !name.startsWith('.')) : [];
};

test('a limit that cannot be kept is an error; so is strict', async () => {
  if (unified) return;
  assert.is(await codeOf(tsbox.sandbox({ image: 'box', resources: { memory: 64 * MiB } })), 'LIMIT');
  assert.is(await codeOf(tsbox.sandbox({ image: 'box', strict: true })), 'HOST');
  assert.equal([entries('containers'), entries('groups')], [[], []]);
});

test('best effort: what comes near it, and a warning', async () => {
  if (unified) return;
  const resources = { memory: 8 * MiB, pidsLimit: 9, cpuShares: 512 };
  const box = await tsbox.sandbox({ image: 'box', resources, limits: 'best-effort' });
  assert.match(warnings.join('\n'), /--memory is approximated: RLIMIT_AS/);
  assert.match(warnings.join('\n'), /--pids-limit is refused/);
  const { stdout } = await box.exec(['sh', '-c', 'ulimit -v; cut -d" " -f19 /proc/self/stat']);
  // setpriority(2): nobody can be less nice than whoever runs the tests.
  assert.equal(String(stdout).trim().split('\n'), ['8192', String(Math.max(2, getPriority()))]);
  // Each for itself: pid 1 has the input of all.
  const input = Buffer.alloc(256 * 1024, 'x');
  const late = Array.from({ length: 48 }, () => box.exec(['sh', '-c', 'sleep 0.5; wc -c'], { stdin: input }));
  for (const done of await Promise.all(late)) assert.is(String(done.stdout), '262144\n');
  const [fork] = await box.fork();
  assert.is(String((await fork?.exec(['sh', '-c', 'ulimit -v']))?.stdout), '8192\n');
  await Promise.all([box.close(), fork?.close()]);
  assert.equal(entries('groups'), [], 'this process lives on');
});

networked('in a network of its own: an address, and the names of the others', async () => {
  await using one = await tsbox.sandbox({ image: 'box', name: 'one', network: 'web', ip: '10.199.7.7' });
  await one.exec(['sh', '-c', 'echo found >/index.html; httpd -h / -p 80']);
  await using two = await tsbox.sandbox({ image: 'box', network: 'web' });
  const address = await two.exec(['ip', '-4', '-o', 'addr', 'show', 'dev', 'eth0']);
  assert.match(String(address.stdout), /inet \d/);
  const { stdout, stderr } = await two.exec(['wget', '-qO-', 'http://one/']);
  assert.is(String(stdout), 'found\n', String(stderr));
  const [fork] = await two.fork();
  assert.is(String((await fork?.exec(['wget', '-qO-', 'http://one/']))?.exitCode), '0');
  await fork?.close();
  // Its fixed address is its own.
  const [other] = await one.fork();
  await one.exec(['true']);
  assert.is(entries('networks', 'web', 'addresses').length, 3);
  await other?.close();
  assert.is(entries('networks', 'web', 'addresses').length, 2);
});

networked('a start that fails gives its addresses back', async () => {
  const taken = entries('networks', 'web', 'addresses');
  const missing = { image: 'box', network: 'web', user: 'nobody-of-that-name' };
  assert.is(await codeOf(tsbox.sandbox(missing)), 'USER');
  assert.equal(entries('networks', 'web', 'addresses'), taken);
});

test.run();
