// run as: single
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Box, openBox } from '../support/cli.ts';
import { DEBIAN_ROOTFS, requires } from '../support/requires.ts';
import { rpmScript } from '../support/rpm-script.ts';
import { tempHome } from '../support/temp-home.ts';

/** A real distribution's package manager with one user id: docs/root-emulation.md. */
const test = requires(suite('root emulation'), 'userns', 'nosubid', 'debian');

let image: Promise<Box> | undefined;

function debian(): Promise<Box> {
  image ??= (async () => {
    const box = openBox(tempHome()).with({ limit: 120_000 });
    await box.ok('import', DEBIAN_ROOTFS, 'debian:test');
    return box;
  })();
  return image;
}

/** A package that does what packages do: foreign owners, a device, a setgid directory, a system user. */
const MAKE_PACKAGE = `
set -e
mkdir -p /srv/repo /tmp/p/DEBIAN /tmp/p/var/lib/probe
printf 'Package: probe\\nVersion: 1\\nArchitecture: all\\nMaintainer: T <t@example.org>\\nDescription: test\\n' > /tmp/p/DEBIAN/control
cat > /tmp/p/DEBIAN/postinst <<'END'
#!/bin/sh
set -e
chown games:games /var/lib/probe/owned
install -o mail -g mail -m 2755 -d /var/lib/probe/spool
mknod /var/lib/probe/null c 1 3
mkfifo /var/lib/probe/fifo
useradd --system --no-create-home probe
chown -R probe: /var/lib/probe
END
chmod 755 /tmp/p/DEBIAN/postinst
echo mine > /tmp/p/var/lib/probe/owned
cd /srv/repo
dpkg-deb -b /tmp/p probe.deb > /dev/null
{ dpkg-deb -f probe.deb; echo "Filename: ./probe.deb"; echo "Size: $(stat -c %s probe.deb)"; echo "SHA256: $(sha256sum probe.deb | cut -d' ' -f1)"; } > Packages
echo 'deb [trusted=yes] file:/srv/repo ./' > /etc/apt/sources.list
`;

const CHECK =
  'id -u probe >/dev/null && test -p /var/lib/probe/fifo && test ! -e /var/lib/probe/null && stat -c %U /var/lib/probe/owned';

async function inDebian(script: string, ...flags: string[]) {
  const box = await debian();
  const path = join(box.home.dir, 'script.sh');
  writeFileSync(path, script);
  return box(
    'run',
    '--rm',
    '--network',
    'none',
    '-v',
    `${path}:/script.sh:ro`,
    ...flags,
    'debian:test',
    'sh',
    '/script.sh',
  );
}

test('apt-get update and install: apt is told by its environment not to change its user', async () => {
  const apt = 'apt-get';
  const done = await inDebian(`${MAKE_PACKAGE} ${apt} -qq update && ${apt} -qq install -y probe && ${CHECK}`);
  assert.is(done.code, 0, done.stdout + done.stderr);
  assert.ok(done.stdout.endsWith('root\n'), 'files keep their owner');
});

test('without emulation the same fails: there is something to emulate', async () => {
  const apt = 'apt-get -o APT::Sandbox::User=root';
  const done = await inDebian(
    `${MAKE_PACKAGE} ${apt} -qq update && ${apt} -qq install -y probe`,
    '--root-emulation=false',
  );
  assert.is.not(done.code, 0);
});

test('dpkg -i, apt-get install ./file.deb, adduser, and a tarball with foreign owners', async () => {
  const done = await inDebian(
    `${MAKE_PACKAGE} dpkg -i probe.deb >/dev/null && ${CHECK} && dpkg -P probe >/dev/null 2>&1
     cd /srv/repo && apt-get -qq install -y ./probe.deb && ${CHECK}
     mkdir /t && tar -C /tmp -cf - --owner=1234 --group=4321 p | tar -C /t -xpf - && stat -c %u:%g /t/p`,
  );
  assert.is(done.code, 0, done.stdout + done.stderr);
  assert.ok(done.stdout.endsWith('0:0\n'), done.stdout);
});

test('programs that become another user go on as root', async () => {
  const done = await inDebian(
    'setpriv --reuid=33 --regid=33 --clear-groups id -u; chown 12:34 /etc/hostname && chown root:root /no/such || echo said',
  );
  assert.is(done.stdout, '0\nsaid\n', done.stderr);
});

/** On the machine's own tree: it has rpm, and a container of it takes no package to be fetched. */
const onHost = requires(test, 'rpm', 'fuse', 'fuse-overlayfs');

async function withRpm(...flags: string[]) {
  const box = openBox(tempHome('rpm')).with({ limit: 120_000 });
  const path = join(box.home.dir, 'rpm.sh');
  writeFileSync(path, rpmScript());
  const mount = `${path}:/opt/rpm.sh:ro`;
  return box('run', '--rm', '--network', 'none', '-v', mount, ...flags, 'host', 'sh', '/opt/rpm.sh');
}

onHost('rpmbuild and rpm -i: files of several owners, set-id bits, a device by a script', async () => {
  const done = await withRpm();
  assert.is(done.code, 0, done.stdout + done.stderr);
  assert.is(
    done.stdout,
    'probe-1-1.noarch\n/srv/probe/owned 640 root\n/srv/probe/spool 2775 root\n/srv/probe/suid 4755 root\n',
  );
  const without = await withRpm('--root-emulation=false');
  assert.is.not(without.code, 0, 'there is something to emulate');
  assert.match(without.stdout, /chown failed|unpacking of archive failed/);
});

test.run();
