import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inStore, scene } from '../support/build.ts';
import { requires } from '../support/requires.ts';
import { archive, file, symlink } from '../support/tar-bytes.ts';

/** What a Dockerfile, a context or a stage could try against the machine that builds it. */
const test = requires(suite('build: escapes'), 'userns', 'busybox');

/** A directory of the host that nothing may see or change. */
function canary(home: string, name: string): string {
  const dir = join(home, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'secret'), 'of the host');
  return dir;
}

test('CVE-2024-1753: a mount whose source is a link to the root', async () => {
  const { build, box, sh } = await scene({ exploit: { link: '/' }, 'a.txt': 'x' });
  const host = canary(box.home.dir, 'canary');
  await build(
    `FROM busybox\nRUN --mount=type=bind,source=exploit,target=/m,rw ls /m > /seen; touch /m/BIND_BREAKOUT; test ! -e /m${host}`,
  );
  assert.is(await sh('cat /seen'), 'a.txt\nexploit');
  await build(
    `FROM busybox AS evil\nRUN ln -s / /exploit\nFROM busybox\nRUN --mount=type=bind,from=evil,source=/exploit,target=/m,rw touch /m/BIND_BREAKOUT; test ! -e /m${host}`,
  );
  assert.not(existsSync('/BIND_BREAKOUT'));
});

test('CVE-2024-9407: no propagation can be slipped into a mount', async () => {
  const { try: attempt } = await scene();
  const done = await attempt('FROM busybox\nRUN --mount=type=bind,target=/m,bind-propagation=shared true');
  assert.is.not(done.code, 0);
  assert.match(done.stderr, /bind-propagation/);
});

test('CVE-2024-9675: the id of a cache mount is no path', async () => {
  const { build, box } = await scene();
  const host = canary(box.home.dir, 'cache-canary');
  const up = '../'.repeat(12);
  await build(
    `FROM busybox\nRUN --mount=type=cache,id=${up}${host.slice(1)},target=/c test ! -e /c/secret && echo x > /c/written`,
  );
  assert.equal(readdirSync(host), ['secret']);
});

test('CVE-2024-11218, CVE-2025-4953: what a step writes to its mounts is not written to the context', async () => {
  const { build, dir, sh } = await scene({ 'd/a.txt': 'x' });
  await build(
    'FROM busybox AS one\nRUN --mount=type=bind,target=/m,rw echo changed > /m/d/a.txt; touch /m/new\nFROM busybox\nRUN --mount=type=bind,target=/m ls /m > /seen; cat /m/d/a.txt >> /seen\nRUN --mount=type=bind,target=/m touch /m/no && exit 1 || true',
    '--no-cache',
  );
  assert.equal(readdirSync(dir), ['d']);
  assert.is(readFileSync(join(dir, 'd/a.txt'), 'utf8'), 'x');
  assert.is(await sh('cat /seen'), 'd\nx');
});

test('COPY: links of the context and of stages lead nowhere else', async () => {
  const { build, try: attempt, box, sh } = await scene({ 'a.txt': 'x' });
  const host = canary(box.home.dir, 'copy-canary');
  const { put } = await scene();
  void put;
  const context = await scene({
    'a.txt': 'x',
    out: { link: `${host}/secret` },
    up: { link: '../copy-canary' },
  });
  for (const source of ['out', 'up/secret', 'up', `../copy-canary/secret`]) {
    const done = await context.try(`FROM busybox\nCOPY ${source} /got/`);
    assert.is.not(done.code, 0, source);
    assert.match(done.stderr, /not found/, source);
  }
  const stage = `FROM busybox AS one\nRUN ln -s ${host} /l && ln -s ../../../../../../..${host} /m\nFROM busybox\n`;
  for (const source of ['/l/secret', '/m/secret', '/l']) {
    assert.is.not((await attempt(`${stage}COPY --from=one ${source} /got`)).code, 0, source);
  }
  await build(
    `FROM busybox\nRUN ln -s ${host} /out && ln -s ../../../../../../../..${host} /rel\nCOPY a.txt /out/\nCOPY a.txt /rel/two`,
  );
  assert.equal(readdirSync(host), ['secret']);
  assert.is(await sh(`ls ${host}`), 'a.txt\ntwo');
});

test('ADD: an archive stays beneath its destination', async () => {
  const up = archive(file('../../../../../../../tmp/tsbox-up', 'x'));
  const { try: attempt } = await scene({ 'up.tar': up });
  assert.is.not((await attempt('FROM busybox\nADD up.tar /to/')).code, 0);
  const { build, box, sh } = await scene();
  const host = canary(box.home.dir, 'add-canary');
  const links = archive(symlink('l', host), file('l/written', 'x'));
  const other = await scene({ 'links.tar': links });
  await other.build('FROM busybox\nADD links.tar /to/');
  assert.equal(readdirSync(host), ['secret']);
  void build;
  assert.match(await sh('ls -l /to'), / l -> /);
});

test('CVE-2025-9566: secrets are not mounted through a link of the image, nor a cache through one of another step', async () => {
  const { build, box } = await scene();
  const host = canary(box.home.dir, 'secret-canary');
  const path = join(box.home.dir, 'link-secret');
  writeFileSync(path, 'hidden');
  for (const link of [host, `../../../../../../../..${host}`]) {
    await build(
      `FROM busybox AS evil\nRUN mkdir -p /run && ln -s ${link} /run/secrets && ln -s ${link} /c\nFROM evil\nRUN --mount=type=secret,id=w --mount=type=cache,target=/c/cache touch /c/cache/x; cat /run/secrets/w`,
      '--secret',
      `id=w,src=${path}`,
    );
    assert.equal(readdirSync(host), ['secret']);
  }
});

/** Two stages at once: one exchanges a directory of their cache for a link, the other has a mount below it. */
test('CVE-2024-11218: a mount target in a cache that another stage exchanges for a link', async () => {
  const { try: attempt, box } = await scene();
  const host = canary(box.home.dir, 'jobs-canary');
  const rounds = process.env.TSBOX_TEST_LONG ? 30 : 1;
  for (let i = 0; i < rounds; i++) {
    await attempt(
      `FROM busybox AS swap\nRUN --mount=type=cache,id=shared,target=/c cd /c; mkdir -p d; ln -sfn ${host} l; for n in $(seq 2000); do mv d e; mv l d; mv d l; mv e d; done; touch /swapped
FROM busybox AS other\n${Array.from({ length: 4 }, (_, n) => `RUN --mount=type=cache,id=shared,target=/c --mount=type=tmpfs,target=/c/d/t${i}-${n} touch /c/d/t${i}-${n}/x; true`).join('\n')}
FROM busybox\nCOPY --from=swap /swapped /\nCOPY --from=other /etc/hostname /`,
      '--no-cache',
    );
    assert.equal(readdirSync(host), ['secret']);
  }
});

test('.dockerignore hides files from COPY and from mounts; ! shows them again', async () => {
  const { build, sh } = await scene({
    '.dockerignore': 'd\n!d/keep\nsecret*\n',
    'd/keep': '1',
    'd/drop': '2',
    'secret.txt': '3',
  });
  await build('FROM busybox\nCOPY . /all/\nRUN --mount=type=bind,target=/m find /m | sort > /seen');
  assert.is(await sh('find /all -type f | sort'), '/all/.dockerignore\n/all/d/keep');
  assert.is(await sh('cat /seen'), '/m\n/m/.dockerignore\n/m/d\n/m/d/keep');
});

test('secrets are in no layer, history, cache or record', async () => {
  const { build, box, sh } = await scene();
  const word = 'open-sesame-4711';
  const path = join(box.home.dir, 'word');
  writeFileSync(path, word);
  await build(
    `FROM busybox\nRUN --mount=type=secret,id=w --mount=type=secret,id=e,env=WORD test "$(cat /run/secrets/w)$WORD" = ${'"$(cat /run/secrets/w)$(cat /run/secrets/w)"'} && cat /run/secrets/w | wc -c > /length`,
    '--secret',
    `id=w,src=${path}`,
    '--secret',
    `id=e,src=${path}`,
  );
  assert.is((await sh('cat /length; ls /run 2>/dev/null')).trim(), String(word.length));
  const found = filesWith(box.home.store, word);
  assert.equal(found, []);
  assert.equal(inStore(box, 'containers'), []);
});

function filesWith(dir: string, word: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap(entry => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return path.endsWith('/work') ? [] : filesWith(path, word);
    return entry.isFile() && readFileSync(path).includes(word) ? [path] : [];
  });
}

test.run();
