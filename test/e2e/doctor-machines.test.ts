// run as: root
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture, TSBOX } from '../support/cli.ts';
import { requires, which } from '../support/requires.ts';
import { tempHome } from '../support/temp-home.ts';

/** Machines that lack something, made for real by root in a mount namespace of its own; user nobody asks doctor there. */
const test = requires(suite('doctor on other machines'), 'root', 'userns', 'newuidmap', 'slirp4netns');
const home = tempHome();

/** A scratch directory and an /etc that can be changed, in which nobody has subordinate ids. */
const SCENE = `
mount -t tmpfs -o mode=0755 tmpfs /srv
cp -a /etc /srv/etc && mount --bind /srv/etc /etc
mkdir /srv/home && chown 65534:65534 /srv/home
for file in subuid subgid; do echo nobody:100000:65536 > /etc/$file; done
`;
const NOBODY = 'setpriv --reuid=65534 --regid=65534 --clear-groups';
const ENV =
  'env HOME=/srv/home TSBOX_ROOT=/srv/home/store TSBOX_RUNTIME_DIR=/srv/home/run USER=nobody LOGNAME=nobody';

interface Check {
  readonly id: string;
  readonly status: string;
  readonly code: string;
  readonly admin?: readonly string[];
}

/** What the script says, on this machine after `setup`. */
async function script(text: string) {
  const done = await capture('unshare', ['-m', 'sh', '-euc', SCENE + text], home, { limit: 60_000 });
  return { ...done, text: `${done.stdout}\n${done.stderr}` };
}

async function doctor(setup: string, checks: string, how = NOBODY): Promise<Check[]> {
  const { stdout, text } = await script(`${setup}\nexec ${how} ${ENV} ${TSBOX} doctor --json ${checks}`);
  assert.match(stdout, /^\[/, text);
  return JSON.parse(stdout) as Check[];
}

const hide = (...programs: string[]): string =>
  programs
    .map(which)
    .filter(path => path !== undefined)
    .map(path => `mount --bind /dev/null ${path}`)
    .join('\n');

const newuidmap = which('newuidmap') ?? '/usr/bin/newuidmap';

interface Scene {
  readonly name: string;
  readonly setup: string;
  readonly checks: string;
  /** `id code` of each. */
  readonly expected: readonly string[];
  readonly how?: string;
}

const SCENES: readonly Scene[] = [
  { name: 'nothing is missing', setup: '', checks: 'idmap', expected: ['idmap idmap'] },
  {
    name: 'no lines in subuid and subgid',
    setup: ': > /etc/subuid; : > /etc/subgid',
    checks: 'idmap',
    expected: ['idmap subid-missing'],
  },
  {
    name: 'ranges that overlap',
    setup: 'echo nobody:120000:5 >> /etc/subuid',
    checks: 'idmap',
    expected: ['idmap subid-invalid'],
  },
  { name: 'no newuidmap', setup: hide('newuidmap'), checks: 'idmap', expected: ['idmap mapper-missing'] },
  {
    name: 'newuidmap on a nosuid mount',
    setup: `cp -p ${newuidmap} /srv/newuidmap && chmod 4755 /srv/newuidmap && mount --bind /srv/newuidmap ${newuidmap}
mount -o remount,bind,nosuid ${newuidmap}`,
    checks: 'idmap',
    expected: ['idmap mapper-nosuid'],
  },
  {
    name: 'no_new_privs',
    setup: '',
    checks: 'idmap',
    how: `${NOBODY} --no-new-privs`,
    expected: ['idmap mapper-privileges'],
  },
  {
    name: 'device nodes of mode 0600',
    setup: `mknod -m 0600 /srv/fuse c 10 229 && mount --bind /srv/fuse /dev/fuse
mount -t tmpfs tmpfs /dev/net && mknod -m 0600 /dev/net/tun c 10 200`,
    checks: 'fuse tun slirp4netns',
    expected: ['fuse fuse-closed', 'tun tun-closed', 'slirp4netns tun-closed'],
  },
  {
    name: 'no /dev/net/tun',
    setup: 'mount -t tmpfs tmpfs /dev/net',
    checks: 'tun slirp4netns',
    expected: ['tun tun-missing', 'slirp4netns tun-missing'],
  },
  {
    name: 'none of the programs',
    setup: hide('slirp4netns', 'pasta', 'fuse-overlayfs', 'nft', 'iptables'),
    checks: 'slirp4netns pasta fuse-overlayfs filter',
    expected: [
      'fuse-overlayfs fuse-overlayfs-missing',
      'slirp4netns slirp4netns-missing',
      'pasta pasta-missing',
      'filter filter-missing',
    ],
  },
  {
    name: 'parts of /proc hidden, as in a container',
    setup: 'mount -t tmpfs tmpfs /proc/tty',
    checks: 'mount proc',
    expected: ['mount mount', 'proc proc-masked'],
  },
  {
    name: 'a chroot',
    setup: 'mkdir /srv/root && mount --rbind / /srv/root',
    checks: 'userns mount',
    how: `chroot /srv/root ${NOBODY}`,
    expected: ['userns userns-refused', 'mount mount'],
  },
  {
    name: 'a store with little room',
    setup: 'mkdir /srv/home/store && mount -t tmpfs -o size=16m,uid=65534,mode=0700 tmpfs /srv/home/store',
    checks: 'store',
    expected: ['store store-space'],
  },
];

for (const { name, setup, checks, expected, how } of SCENES) {
  test(name, async () => {
    const found = await doctor(setup, checks, how);
    assert.equal(
      found.map(({ id, code }) => `${id} ${code}`),
      expected,
    );
  });
}

test('an error names what doctor finds, and the run says the same', async () => {
  const { stderr } = await script(
    `mount -t tmpfs tmpfs /dev/net\n${hide('pasta')}\n${NOBODY} ${ENV} ${TSBOX} run --rm --network slirp4netns host true || :`,
  );
  assert.match(stderr, /hint: .*; why: tsbox doctor tun-missing$/m);
});

test('the administrator does what the request says, and nothing of it is missing any more', async () => {
  const ask = `${NOBODY} ${ENV} ${TSBOX} doctor`;
  const { stdout, text } = await script(`
: > /etc/subuid; echo somebody:100000:65536 > /etc/subgid
mount -t tmpfs tmpfs /dev/net && mknod -m 0600 /dev/net/tun c 10 200
${ask} --admin-request > /srv/request
grep -E '^(usermod|echo nobody|chmod 0666 /dev/net/tun)' /srv/request > /srv/do
cat /srv/do >&2
sh -eu /srv/do
grep nobody /etc/subuid /etc/subgid >&2
${ask} --json idmap tun`);
  assert.match(stdout, /^\[/, text);
  assert.match(text, /^chmod 0666 \/dev\/net\/tun$/m);
  assert.match(text, /subuid:nobody:165536:65536\n.*subgid:nobody:165536:65536/);
  assert.equal(
    (JSON.parse(stdout) as Check[]).map(({ id, status }) => `${id} ${status}`),
    ['idmap ok', 'tun ok'],
    text,
  );
});

test.run();
