import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildahHolds, sameAsBuildah } from '../support/build-peer.ts';
import { type Box, collect, openBox } from '../support/cli.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { freePort } from '../support/registry.ts';
import { DEBIAN_ROOTFS, requires } from '../support/requires.ts';
import { archive, file } from '../support/tar-bytes.ts';
import { wheel } from '../support/wheel.ts';
import { eventually } from '../support/within.ts';

/** Images as people build them, each also by buildah; the service is run and answers. */
const service = requires(suite('build: a service'), 'userns', 'busybox', 'slirp4netns', 'tun');
const real = requires(suite('build: real work'), 'long', 'userns', 'subid', 'busybox', 'debian', 'buildah');
service.after.each(removeContainers);

interface Service {
  readonly from: string;
  readonly files: Readonly<Record<string, string>>;
  readonly dockerfile: string;
}

function contextOf(box: Box, name: string, files: Readonly<Record<string, string | Buffer>>): string {
  const dir = join(box.home.dir, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, 'context', path)), { recursive: true });
    writeFileSync(join(dir, 'context', path), content, { mode: 0o644 });
  }
  return dir;
}

/** Builds it, runs it with a published port, waits for its health and asks it. */
async function serves(box: Box, { from, files, dockerfile }: Service): Promise<void> {
  const text = `FROM ${from}\nENV GREETING=hello\n${dockerfile}\nEXPOSE 8080\n`;
  const dir = contextOf(box, 'service', { ...files, Dockerfile: text });
  await box.ok('build', '-q', '--network', 'none', '-t', 'service', join(dir, 'context'));
  const port = await freePort();
  const id = await box.ok('run', '-d', '-p', `127.0.0.1:${port}:8080`, 'service');
  const health = () => box.ok('inspect', '--format', '{{.State.Health.Status}}', id);
  await eventually(20_000, 'healthy', async () => (await health()) === 'healthy');
  const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5000) });
  assert.equal([answer.status, await answer.text()], [200, 'hello from a build\n']);
  await box.ok('rm', '-f', id);
}

service('with HEALTHCHECK, run with -p: healthy, and it answers', async () => {
  await serves(await busybox(), {
    from: 'busybox',
    files: { 'page.sh': 'mkdir -p /www && echo "$GREETING from a build" > /www/index.html\n' },
    dockerfile: `COPY --chmod=755 page.sh /
RUN sh /page.sh
HEALTHCHECK --interval=200ms CMD wget -qO- http://127.0.0.1:8080/ > /dev/null
CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]`,
  });
});

let debian: Promise<Box> | undefined;

/** The image `debian` in the store and in buildah's. */
function withDebian(): Promise<Box> {
  debian ??= (async () => {
    const box = openBox((await busybox()).home).with({ limit: 900_000 });
    await box.ok('import', DEBIAN_ROOTFS, 'debian');
    await box.ok('save', '-o', join(box.home.dir, 'debian.tar'), 'debian');
    await buildahHolds(box, 'busybox.tar');
    await buildahHolds(box, 'debian.tar');
    return box;
  })();
  return debian;
}

/** The compiler, pip: one stage for the tests of both. */
const TOOLS = `FROM debian AS tools
ENV DEBIAN_FRONTEND=noninteractive PYTHONDONTWRITEBYTECODE=1
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev python3 python3-pip >/dev/null
`;

async function builtAlike(box: Box, dir: string, dockerfile: string, apart: string[] = []): Promise<void> {
  const path = join(dir, 'Dockerfile');
  writeFileSync(path, dockerfile);
  const args = ['-f', path];
  await sameAsBuildah(box, { dir, args: ['--network', 'host', ...args], peerArgs: args, apart });
}

const MAIN = '#include <stdio.h>\nint main(void) { puts("compiled"); return 0; }\n';

real('a compiler by apt-get in one stage, its program in the other', async () => {
  const box = await withDebian();
  const dir = contextOf(box, 'compile', { 'src/main.c': MAIN });
  await builtAlike(
    box,
    dir,
    `${TOOLS}WORKDIR /src
COPY src .
RUN gcc -O2 -static -o /app main.c && /app
FROM busybox
COPY --from=tools /app /usr/bin/app
RUN /usr/bin/app > /said
ENTRYPOINT ["/usr/bin/app"]
`,
  );
  assert.is(await box.ok('run', '--rm', '--network', 'none', 'ours'), 'compiled');
});

real('Python: pip and a local wheel', async () => {
  const box = await withDebian();
  const dir = contextOf(box, 'python', {
    'wheels/demo-1.0-py3-none-any.whl': wheel('demo', '1.0', { 'demo/__init__.py': 'WORD = "wheel"\n' }),
    'main.py': 'import demo\nprint("from the", demo.WORD)\n',
  });
  await builtAlike(
    box,
    dir,
    `${TOOLS}COPY wheels /wheels
RUN pip install --no-index --no-compile --break-system-packages --root-user-action=ignore --find-links=/wheels --target=/deps demo
COPY main.py /
RUN PYTHONPATH=/deps python3 /main.py > /said
FROM busybox
COPY --from=tools /deps /deps
COPY --from=tools /said /main.py /
CMD ["cat", "/said"]
`,
  );
  assert.is(await box.ok('run', '--rm', '--network', 'none', 'ours'), 'from the wheel');
});

/** A package of a registry of ours, its lock file, and npm itself as the machine has it. */
async function nodeContext(box: Box, registry: string, tarball: Buffer): Promise<string> {
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const dependencies = { demo: '1.0.0' };
  const root = { name: 'app', version: '1.0.0', dependencies };
  const demo = { version: '1.0.0', resolved: `${registry}/demo-1.0.0.tgz`, integrity };
  const lock = {
    ...root,
    lockfileVersion: 3,
    requires: true,
    packages: { '': root, 'node_modules/demo': demo },
  };
  const dir = contextOf(box, 'node', {
    'app/package.json': JSON.stringify(root),
    'app/package-lock.json': JSON.stringify(lock),
    'app/index.js': 'console.log("the answer is " + require("demo"));\n',
  });
  const npm = dirname(dirname(realpathSync(spawnSync('which', ['npm'], { encoding: 'utf8' }).stdout.trim())));
  cpSync(npm, join(dir, 'context/node/lib/node_modules/npm'), { recursive: true });
  cpSync(process.execPath, join(dir, 'context/node/bin/node'));
  assert.ok(existsSync(join(dir, 'context/node/lib/node_modules/npm/bin/npm-cli.js')));
  return dir;
}

/** In a process of its own: this one waits for buildah. Each request is a line on its stdout. */
async function packageServer(box: Box, tarball: Buffer) {
  const path = join(box.home.dir, 'demo.tgz');
  writeFileSync(path, tarball);
  const code = `const body = require('fs').readFileSync(${JSON.stringify(path)});
const server = require('http').createServer((request, response) => { console.log(request.url); response.end(body); });
server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = collect(child.stdout);
  const port = await eventually(10_000, 'its port', () => /^\d+(?=\n)/.exec(said())?.[0]);
  return { child, url: `http://127.0.0.1:${port}`, asked: () => said().split('\n').length - 2 };
}

real('Node: npm ci through a cache mount, the second time without its registry', async () => {
  const box = await withDebian();
  const tarball = gzipSync(
    archive(
      file('package/package.json', '{"name":"demo","version":"1.0.0"}'),
      file('package/index.js', 'module.exports = 42;\n'),
    ),
  );
  const registry = await packageServer(box, tarball);
  const dir = await nodeContext(box, registry.url, tarball);
  const dockerfile = `FROM debian
COPY node /usr/local/
WORKDIR /app
COPY app/package.json app/package-lock.json ./
RUN --mount=type=cache,target=/mnt/npm node /usr/local/lib/node_modules/npm/bin/npm-cli.js ci --cache /mnt/npm --prefer-offline --no-audit --no-fund --no-update-notifier
COPY app .
RUN node index.js > /said
CMD ["node", "index.js"]
`;
  try {
    await builtAlike(box, dir, dockerfile);
  } finally {
    registry.child.kill();
  }
  const asked = registry.asked();
  assert.ok(asked >= 2, 'each of the two has asked');
  assert.is(await box.ok('run', '--rm', '--network', 'none', 'ours'), 'the answer is 42');
  const json = join(dir, 'context/app/package.json');
  writeFileSync(
    json,
    readFileSync(json, 'utf8').replace('"dependencies"', '"description":"x","dependencies"'),
  );
  await box.ok('build', '-q', '--network', 'none', '-f', join(dir, 'Dockerfile'), join(dir, 'context'));
  assert.is(registry.asked(), asked);
});

real('a Debian service with HEALTHCHECK, run with -p', async () => {
  const box = await withDebian();
  const server = `use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die;
while (my $c = $s->accept) { my $l = <$c>; print $c "HTTP/1.0 200 OK\\r\\n\\r\\n$ENV{GREETING} from a build\\n"; close $c }
`;
  await serves(box, {
    from: 'debian',
    files: { 'server.pl': server },
    dockerfile: `RUN useradd --system service
COPY server.pl /srv/
USER service
HEALTHCHECK --interval=500ms --retries=10 CMD bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080 && echo GET / >&3 && grep -q build <&3'
CMD ["perl", "/srv/server.pl"]`,
  });
});

service.run();
real.run();
