// run as: root
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TSBOX } from '../support/cli.ts';
import { busybox } from '../support/ready.ts';
import { requires, which } from '../support/requires.ts';
import { within } from '../support/within.ts';

/** Networks where the usual tool is missing: iptables in place of nft, pasta in place of slirp4netns. Hidden by a bind over the program. */
const needs = ['root', 'userns', 'busybox', 'slirp4netns', 'pasta', 'tun', 'nft', 'iptables'] as const;
const test = requires(suite('networks without nft, without slirp4netns'), ...needs);

/**
 * A shell in mount and network namespaces of its own: these programs are not there, and the machine is one with an interface, beyond which
 * a server answers at 198.51.100.2.
 */
async function without(hidden: readonly string[], script: string): Promise<string> {
  const { env } = (await busybox()).home;
  const hide = hidden.map(name => `mount --bind /dev/null "$(readlink -f ${which(name)})"`);
  const { spawn } = await import('node:child_process');
  const child = spawn('unshare', ['-mn', 'sh', '-ec', [...hide, MACHINE, script].join('\n'), TSBOX], {
    env,
    cwd: env.HOME,
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', chunk => {
      text += chunk;
    });
  await within(100_000, new Promise(resolve => child.on('close', resolve)), script);
  return text;
}

const MACHINE = `
ip link set lo up
mkdir -p www && echo outside > www/index.html
unshare -n sleep 1000 & peer=$!
trap 'kill $peer $server $own' EXIT
while [ "$(readlink /proc/$peer/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
ip link add up0 type veth peer name up1
ip link set up1 netns $peer
ip address add 198.51.100.1/24 dev up0
ip link set up0 up
ip route add default via 198.51.100.2
nsenter -n -t $peer sh -c 'ip address add 198.51.100.2/24 dev up1; ip link set up1 up; exec /bin/busybox httpd -f -p 8080 -h www' & server=$!
/bin/busybox httpd -f -p 127.0.0.1:8081 -h www & own=$!`;

/** One container is found by its name; another reaches the world, and not the machine's loopback. */
const SCENE = `
t() { ${TSBOX} "$@"; }
t network create web >/dev/null
t run -d --name one --network web busybox sleep 100 >/dev/null
t run --rm --network web busybox ping -c 1 -W 3 one | grep received
t run --rm --network web busybox wget -qO- http://198.51.100.2:8080/
for line in /proc/[0-9]*/cmdline; do { tr '\\0' ' ' <"$line"; echo; } 2>/dev/null || true; done | grep -oE '^[^ ]*(pasta|passt)[^ ]* .*--ns-ifname|^[^ ]*slirp4netns .*--netns-type=path' | sed 's/ .*//; s,.*/,,; s/^/uplink: /' | sort -u
for to in 10.0.2.2 198.51.100.1 172.18.0.1; do
  t run --rm --network web busybox sh -c "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 1 $to 8081" && echo open || echo closed
done
t rm -f one >/dev/null
t network rm web >/dev/null
`;

for (const [hidden, uplink] of [
  [['nft'], 'slirp4netns'],
  [['slirp4netns'], 'passt|pasta'],
  ...(process.env.TSBOX_TEST_LONG ? [[['nft', 'slirp4netns'], 'passt|pasta'] as const] : []),
] as const) {
  test(`without ${hidden.join(' and ')}: names, a way out, and no way to the machine's loopback`, async () => {
    const text = await without(hidden, SCENE);
    assert.match(text, '1 packets received');
    assert.match(text, /^outside$/m);
    assert.match(text, new RegExp(`^uplink: (${uplink})`, 'm'));
    assert.equal([text.match(/^closed$/gm)?.length, /^open$/m.test(text)], [3, false], text);
  });
}

test.after(async () => {
  // Below root the holder may not remove its socket from root's directory: the next one takes its place (docs/state.md).
  rmSync(join((await busybox()).home.env.XDG_RUNTIME_DIR ?? '', 'tsbox/network.sock'), { force: true });
});

test('without either of both kinds the error says what to install', async () => {
  const run = `${TSBOX} network create bare >/dev/null; ${TSBOX} run --rm --network bare busybox true; echo; ${TSBOX} network rm bare`;
  assert.match(
    await without(['nft', 'iptables'], `set +e; ${run}`),
    /neither nft nor iptables[\s\S]*apt install nftables/,
  );
  assert.match(
    await without(['slirp4netns', 'pasta'], `set +e; ${run}`),
    /neither slirp4netns nor pasta[\s\S]*apt install/,
  );
});

/** A slirp4netns that is asked for its version alone. */
const FAKE = (version: string): string => `
mkdir -p fake
printf '%s\\n' '#!/bin/sh' 'case $1 in --version) printf "slirp4netns version ${version}\\nlibslirp: 4.7.0\\n"; exit;; esac' 'echo it is broken >&2; exit 1' > fake/slirp4netns
chmod +x fake/slirp4netns
PATH=$PWD/fake:$PATH`;

test('a slirp4netns that is too old is no way out', async () => {
  const run = `set +e\n${FAKE('1.0.1')}\n${TSBOX} network create old >/dev/null; ${TSBOX} run --rm --network old busybox true; echo; ${TSBOX} network rm old`;
  assert.match(await without(['pasta'], run), /has no way out: slirp4netns 1\.0\.1 is older than 1\.2/);
});

test('a network whose way out fails: nothing is left of it, and others go on', async () => {
  const text = await without(
    [],
    `set +e
${TSBOX} network create --internal back >/dev/null; ${TSBOX} network create front >/dev/null
${TSBOX} run -d --name one --network back busybox sleep 100 >/dev/null
(${FAKE('1.2.3')}
${TSBOX} network connect front one && echo connected)
${TSBOX} exec one ls /sys/class/net | tr '\\n' ' '
${TSBOX} run --rm --network back busybox ping -c 1 -W 3 one | grep received
${TSBOX} network connect front one && ${TSBOX} exec one ls /sys/class/net | tr '\\n' ' '
${TSBOX} rm -f one >/dev/null; ${TSBOX} network rm front back >/dev/null`,
  );
  assert.match(text, /it is broken/, text);
  assert.not.match(text, /^connected/m);
  assert.match(text, /^eth0 lo .*1 packets received/m);
  assert.match(text, /^eth0 eth1 lo /m);
});

test('the programs are there for everybody else', () => {
  assert.is(spawnSync(which('nft') ?? 'nft', ['--version']).status, 0);
});

test.run();
