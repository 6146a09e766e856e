import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openBox, TSBOX } from '../support/cli.ts';
import { busyboxImage } from '../support/images.ts';
import { openPty } from '../support/pty.ts';
import { push } from '../support/push.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { requires } from '../support/requires.ts';
import { type TempHome, tempHome } from '../support/temp-home.ts';

/** The very line of the README. The loopback registry stands in for docker.io, so that a short name goes its whole way. */
const test = requires(suite('tsbox run alpine sh'), 'userns', 'busybox', 'registry');
const onTerminal = requires(test, 'script', 'slirp4netns', 'tun');
let registry: Registry;

test.before(async () => {
  registry = await startRegistry();
  await push(registry, 'library/alpine', 'latest', busyboxImage());
});
test.after(() => registry?.stop());

function mirrored(name: string): TempHome {
  const home = tempHome(name);
  mkdirSync(join(home.dir, '.config/tsbox'), { recursive: true });
  writeFileSync(
    join(home.dir, '.config/tsbox/config.toml'),
    `[registries.mirrors]\n"docker.io" = ["http://${registry.host}"]\n`,
  );
  return home;
}

test('alpine means docker.io/library/alpine:latest, taken from the mirror', async () => {
  const box = openBox(mirrored('pipe'));
  const done = await box.with({ input: 'echo "$((6 * 7))"; exit 3\n' })(
    'run',
    '-i',
    '--network',
    'none',
    'alpine',
    'sh',
  );
  assert.equal([done.code, done.stdout], [3, '42\n'], done.stderr);
  assert.is(await box.ok('images', '--format', '{{.Repository}}:{{.Tag}}'), 'alpine:latest');
  assert.match(await box.ok('ps', '-a', '--format', '{{.Image}} {{.Status}}'), /^alpine Exited \(3\)/);
  assert.is(await box.ok('pull', '-q', 'docker.io/library/alpine'), 'docker.io/library/alpine:latest');
  await box.ok('rm', ...(await box.ok('ps', '-aq')).split('\n'));
});

onTerminal('tsbox run -it alpine sh, typed by a person', async () => {
  const home = mirrored('terminal');
  const pty = await openPty([TSBOX, 'run', '-it', '--rm', 'alpine', 'sh'], home);
  await pty.expect(/\/ # /, 20_000);
  pty.type('grep -c tsbox-test /etc/os-release; ip route\n');
  await pty.expect(/\n1\ndefault via 10\.0\.2\.2/);
  pty.type('exit\n');
  assert.is(await pty.end(), 0);
});

test.run();
