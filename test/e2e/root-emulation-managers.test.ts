// run as: single
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Box, openBox } from '../support/cli.ts';
import { DEBIAN_ROOTFS, requires } from '../support/requires.ts';
import { rpmScript } from '../support/rpm-script.ts';
import { tempHome } from '../support/temp-home.ts';

/**
 * Package managers of real distributions in a container of a user with one id (docs/root-emulation.md): apt with packages whose scripts
 * add users, change owners and set up servers; then what apt has brought: pip, npm, rpm and dnf. Their sources are the image's own
 * and the machine's (TSBOX_TEST_NPM_REGISTRY, else npm's default).
 */
const test = requires(suite('package managers in single mode'), 'userns', 'nosubid', 'debian', 'long');
const SECONDS = 1000;

/** What a script of these does is what needs a second id. */
const SERVERS =
  'openssh-client openssh-server nginx-light postgresql-common man-db dbus sudo at exim4-daemon-light';
const MANAGERS = 'python3-pip python3-setuptools npm rpm dnf createrepo-c';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

let made: Promise<Box> | undefined;

/** One container for all: to fetch the packages takes the time. */
function machine(): Promise<Box> {
  made ??= (async () => {
    const box = openBox(tempHome()).with({ limit: 1800 * SECONDS });
    mkdirSync(join(box.home.dir, 'host'));
    await box.ok('import', DEBIAN_ROOTFS, 'debian:test');
    const certificates = existsSync(CERTIFICATES) ? ['-v', `${CERTIFICATES}:/certificates:ro`] : [];
    const npm = process.env.TSBOX_TEST_NPM_REGISTRY;
    await box.ok(
      ...['run', '-d', '--name', 'debian', '--network', 'host', ...certificates],
      ...['-v', `${box.home.dir}/host:/host:ro`, '-e', 'DEBIAN_FRONTEND=noninteractive'],
      ...['-e', 'NODE_EXTRA_CA_CERTS=/certificates', ...(npm ? ['-e', `npm_config_registry=${npm}`] : [])],
      ...['debian:test', 'sleep', '1000000'],
    );
    return box;
  })();
  return made;
}

async function inside(script: string): Promise<string> {
  const box = await machine();
  writeFileSync(join(box.home.dir, 'host/script'), `set -e\n${script}`);
  const done = await box('exec', 'debian', 'sh', '/host/script');
  assert.is(done.code, 0, (done.stdout + done.stderr).slice(-3000));
  return done.stdout.trim();
}

const install = (packages: string): string =>
  `apt-get -qq install -y --no-install-recommends ${packages} >/log 2>&1 || { tail -30 /log; exit 1; }\n`;

test('apt-get install: servers and clients with users, groups, keys and set-id files of their own', async () => {
  await inside(
    `printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; apt-get -qq update`,
  );
  await inside(install(SERVERS));
  assert.is(await inside(`dpkg --audit; dpkg -l | sed 1,5d | cut -c1-2 | sort -u`), 'ii');
  await inside('id sshd; id postgres; id man; test -s /etc/ssh/ssh_host_ed25519_key; test -u /usr/bin/sudo');
  assert.match(
    await inside(
      'sed -i "s/80 default/18080 default/" /etc/nginx/sites-available/default; nginx -t 2>&1; ssh -V 2>&1; sshd -t; echo fine',
    ),
    /successful.*OpenSSH.*fine/s,
  );
});

test('apt-get remove and purge, dpkg --configure -a and an upgrade of everything', async () => {
  await inside(
    'apt-get -qq purge -y at >/log 2>&1; dpkg --configure -a; apt-get -qq dist-upgrade -y >>/log 2>&1',
  );
  assert.is(await inside('dpkg --audit; dpkg -l at 2>/dev/null | grep -c ^ii || true'), '0');
});

test('pip install: from a directory, with files beside the module', async () => {
  await inside(install(MANAGERS));
  const setup =
    'from setuptools import setup; setup(name="mod", version="1", packages=["mod"], data_files=[("share/mod", ["setup.py"])])';
  const out = await inside(
    `mkdir -p /p/mod; cd /p; echo 'answer = 42' >mod/__init__.py; echo '${setup}' >setup.py
     pip install -q --break-system-packages --no-index --no-build-isolation ./ 2>/dev/null
     cd /; python3 -c 'import mod; print(mod.answer)'; pip uninstall -q -y --break-system-packages mod 2>/dev/null; pip list 2>/dev/null | grep -c '^mod ' || true`,
  );
  assert.is(out, '42\n0');
});

test('npm install: from the registry, globally, and a package with a script that changes owners', async () => {
  const out = await inside(
    `mkdir /n; cd /n; npm init -y >/dev/null; npm install --silent --no-audit --no-fund is-number
     node -p 'require("./node_modules/is-number")(5)'; npm install -g --silent --no-audit --no-fund nopt; test -d /usr/local/lib/node_modules/nopt
     mkdir /s; cd /s; printf '{"name":"scripted","version":"1.0.0","scripts":{"install":"chown 12:12 package.json"}}' >package.json
     npm pack --silent >/dev/null; npm install -g --silent --no-audit --no-fund ./scripted-1.0.0.tgz; test -d /usr/local/lib/node_modules/scripted; echo fine`,
  );
  assert.is(out, 'true\nfine');
});

test('rpm -i and dnf install: files of several owners, set-id bits, a user and a device by a script', async () => {
  const listed = await inside(
    rpmScript('useradd --system --no-create-home probe && chown -R probe: /srv/probe'),
  );
  assert.match(listed, /probe-1-1\.noarch/);
  await inside(
    `rpm --dbpath /tmp/db -e probe 2>/dev/null; userdel probe; rm -rf /srv/probe
     mkdir /srv/rpms; cp /tmp/b/RPMS/noarch/*.rpm /srv/rpms; createrepo_c -q /srv/rpms
     dnf -y -q --disablerepo='*' --repofrompath=local,file:///srv/rpms --setopt=local.gpgcheck=0 --releasever=1 install probe`,
  );
  assert.is(
    await inside('id -un probe; test -u /srv/probe/suid; rpm -q probe; stat -c %U /srv/probe/owned'),
    'probe\nprobe-1-1.noarch\nroot',
  );
});

test.after(async () => {
  if (made) await (await made)('rm', '-f', 'debian');
});

test.run();
