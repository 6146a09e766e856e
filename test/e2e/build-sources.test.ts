import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildEvent, TsboxError } from '../../src/index.ts';
import { holding, libraryScene } from '../support/build-library.ts';
import { digestOf } from '../support/images.ts';
import { openLibrary } from '../support/library.ts';
import { requires } from '../support/requires.ts';
import { archive, file } from '../support/tar-bytes.ts';
import { tempHome } from '../support/temp-home.ts';

/** What a build reads from elsewhere and what it gives, by the library. */
const test = requires(suite('build: sources and results'), 'userns', 'busybox');
const git = requires(suite('build: git'), 'userns', 'busybox', 'git');

const rejects = (work: Promise<unknown>): Promise<TsboxError> =>
  work.then(
    () => assert.unreachable('it should have failed') as never,
    (error: TsboxError) => error,
  );

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<{
  readonly url: string;
  readonly server: Server;
}> {
  const server = createServer(handler);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('ADD of a URL: 0600, its time, its digest as --checksum says; an archive with --unpack', async () => {
  const bodies: Record<string, Buffer> = {
    '/a.txt': Buffer.from('of the web\n'),
    '/t.tar': archive(file('in', 'x')),
  };
  const { url, server } = await serve((request, response) => {
    const body = bodies[request.url ?? ''];
    response.writeHead(body ? 200 : 404, { 'last-modified': 'Tue, 14 Nov 2023 22:13:20 GMT' }).end(body);
  });
  try {
    const { files, build } = await libraryScene();
    const good = `--checksum=${digestOf(bodies['/a.txt'] ?? '')}`;
    const out = await files(
      `FROM scratch\nADD ${good} ${url}/a.txt /to/\nADD --unpack=true ${url}/t.tar /all/`,
    );
    assert.is(readFileSync(join(out, 'to/a.txt'), 'utf8'), 'of the web\n');
    const { mode, mtimeMs } = statSync(join(out, 'to/a.txt'));
    assert.equal([mode & 0o777, mtimeMs], [0o600, 1_700_000_000_000]);
    assert.is(readFileSync(join(out, 'all/in'), 'utf8'), 'x');
    const wrong = `--checksum=sha256:${'0'.repeat(64)}`;
    assert.is((await rejects(build(`FROM scratch\nADD ${wrong} ${url}/a.txt /`))).code, 'DIGEST');
    assert.is((await rejects(build(`FROM scratch\nADD ${url}/none /`))).code, 'NOT_FOUND');
  } finally {
    server.close();
  }
});

/** A repository with two commits, the first one tagged. */
function repository(name: string): void {
  const dir = join(tempHome().dir, `${name}.git`);
  mkdirSync(join(dir, 'sub'), { recursive: true });
  const env = { ...tempHome().env, GIT_CONFIG_NOSYSTEM: '1' };
  const run = (...args: string[]): void => {
    const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
    const done = spawnSync('git', [...who, ...args], { cwd: dir, env, encoding: 'utf8' });
    assert.is(done.status, 0, done.stderr);
  };
  run('init', '-q', '-b', 'main');
  writeFileSync(join(dir, 'sub/file'), 'first\n');
  writeFileSync(join(dir, 'sub/Dockerfile'), 'FROM scratch\nCOPY file /of-the-context\n');
  run('add', '.');
  run('commit', '-q', '-m', 'one');
  run('tag', 'v1');
  writeFileSync(join(dir, 'sub/file'), 'second\n');
  run('commit', '-q', '-a', '-m', 'two');
}

/** What a host of repositories runs: git's own CGI program. */
function gitBackend(root: string) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '', 'http://x');
    const child = spawn('git', ['http-backend'], {
      env: {
        ...tempHome().env,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method ?? 'GET',
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
    });
    request.pipe(child.stdin);
    const pieces: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    child.once('close', () => {
      const all = Buffer.concat(pieces);
      const end = all.indexOf('\r\n\r\n');
      const headers = all
        .subarray(0, end)
        .toString()
        .split('\r\n')
        .map(line => line.split(': '));
      const { Status = '200', ...rest } = Object.fromEntries(headers) as Record<string, string>;
      response.writeHead(Number.parseInt(Status, 10), rest).end(all.subarray(end + 4));
    });
  };
}

git('a repository as context and for ADD: over HTTP, by branch and tag', async () => {
  repository('code');
  const { url, server } = await serve(gitBackend(tempHome().dir));
  try {
    const { files } = await libraryScene();
    const out = await files(
      `FROM scratch\nADD ${url}/code.git#v1 /tagged\nADD --keep-git-dir=true ${url}/code.git#main:sub /sub\nADD --exclude=Docker* ${url}/code.git#main:sub /sub2/`,
    );
    const read = (name: string): string => readFileSync(join(out, name), 'utf8');
    assert.equal(
      [read('tagged/sub/file'), read('sub/file'), read('sub2/file')],
      ['first\n', 'second\n', 'second\n'],
    );
    assert.equal(
      [existsSync(join(out, 'tagged/.git')), existsSync(join(out, 'sub2/Dockerfile'))],
      [false, false],
    );
    const { tsbox } = await libraryScene();
    const dest = join(tempHome().dir, 'out-git');
    await tsbox.build({ context: `${url}/code.git#v1:sub`, outputs: [{ type: 'local', dest }] });
    assert.is(readFileSync(join(dest, 'of-the-context'), 'utf8'), 'first\n');
    const none = await rejects(files(`FROM scratch\nADD ${url}/code.git#none /x`));
    assert.is(none.code, 'NOT_FOUND');
  } finally {
    server.close();
  }
});

test('--ssh: the very socket of the agent, for that step alone', async () => {
  const socket = join(tempHome().dir, 'agent');
  const agent = createSocket().listen(socket);
  try {
    const { build, files } = await libraryScene();
    const text = `FROM busybox\nRUN --mount=type=ssh,required=true stat -c %i $SSH_AUTH_SOCK > /inode && test -S $SSH_AUTH_SOCK\nRUN test -z "$SSH_AUTH_SOCK" && test ! -e /run/buildkit`;
    const options = { ssh: [{ id: 'default' }], callerEnv: { SSH_AUTH_SOCK: socket } };
    const out = await files(text, options);
    assert.is(readFileSync(join(out, 'inode'), 'utf8').trim(), String(statSync(socket).ino));
    const refused = await rejects(build(text, { noCache: true }));
    assert.match(`${refused.message} ${refused.hint}`, /ssh agent default is required.*--ssh default/);
  } finally {
    agent.close();
  }
});

test('--cache-from: COPY and RUN of an image, when the store has forgotten them and times are others', async () => {
  const { build, tsbox, context, put } = await libraryScene({ 'a.txt': 'one' });
  const text = 'FROM busybox\nCOPY a.txt /a\nRUN cat /a > /b';
  const first = await build(text, { tags: ['kept'] });
  await tsbox.pruneBuilds();
  utimesSync(join(context, 'a.txt'), 1, 1);
  const again = await build(text, { cacheFrom: ['kept'] });
  assert.equal([again.cached, again.id], [2, first.id]);
  await tsbox.pruneBuilds();
  put('a.txt', 'two');
  assert.is((await build(text, { cacheFrom: ['kept'] })).cached, 0, 'other bytes are another step');
});

test('a secret is in no layer, no config, no record of the cache, nowhere in the store', async () => {
  const word = `hunter2-${process.pid}-${Date.now()}`;
  const { build, tsbox } = await libraryScene();
  const text = `FROM busybox
RUN --mount=type=secret,id=w test "$(cat /run/secrets/w)" = "$(cat /run/secrets/w)" && wc -c < /run/secrets/w > /length
RUN --mount=type=secret,id=w,env=WORD echo \${#WORD} >> /length
RUN wc -l < /length`;
  const made = await build(text, { secrets: [{ id: 'w', value: Buffer.from(word) }] });
  assert.match(made.log, /^2$/m);
  assert.equal(holding(tempHome('build').dir, word), []);
  const history = JSON.stringify(await tsbox.history('made'));
  assert.ok(!history.includes(word));
});

test('results: a tar archive, docker and OCI archives, a stream, other names', async () => {
  const { build, tsbox } = await libraryScene({ 'a.txt': 'x' });
  const home = tempHome().dir;
  const text = 'FROM busybox\nCOPY a.txt /a';
  const pieces: Buffer[] = [];
  const stream = new Writable({
    write(piece: Buffer, _encoding, done) {
      pieces.push(Buffer.from(piece));
      done();
    },
  });
  const dest = (name: string): string => join(home, name);
  const outputs = [
    { type: 'tar', dest: dest('files.tar') },
    { type: 'tar', dest: stream },
    { type: 'docker', dest: dest('docker.tar') },
    { type: 'oci', dest: dest('oci.tar') },
    { type: 'image', names: ['another:1'] },
  ] as const;
  const made = await build(text, { outputs });
  const listed = (path: string) => spawnSync('tar', ['-tf', path], { encoding: 'utf8' }).stdout.split('\n');
  assert.ok(listed(dest('files.tar')).includes('a'));
  assert.ok(Buffer.concat(pieces).equals(readFileSync(dest('files.tar'))));
  assert.ok(listed(dest('docker.tar')).includes('manifest.json'));
  assert.ok(listed(dest('oci.tar')).includes('oci-layout'));
  assert.equal(made.names, ['made', 'another:1']);
  assert.ok((await tsbox.images()).some(({ id }) => id === made.id));
});

test('events have types and an order, for a build that succeeds, one that fails, one whose file is wrong', async () => {
  const { build, tsbox, context } = await libraryScene({ 'a.txt': 'x' });
  const { events, id } = await build('FROM busybox\nCOPY a.txt /\nRUN echo said; echo wrong >&2', {
    noCache: true,
  });
  const types = events.map(({ type }) => type);
  assert.equal([types[0], types.at(-1)], ['plan', 'image']);
  const plan = events.find(event => event.type === 'plan');
  assert.is(plan?.type === 'plan' && plan.steps, 3);
  const starts = events.filter(event => event.type === 'step-start');
  assert.equal(
    starts.map(({ step }) => step),
    [1, 2, 3],
  );
  assert.match(starts[2]?.type === 'step-start' ? starts[2].title : '', /^\[3\/3\] RUN echo said/);
  assert.is(starts[2]?.type === 'step-start' ? starts[2].range?.start.line : 0, 3);
  const logs = events.flatMap(event =>
    event.type === 'step-log' ? [`${event.stream} ${Buffer.from(event.data)}`] : [],
  );
  assert.equal(logs.sort(), ['stderr wrong\n', 'stdout said\n']);
  const image = events.at(-1);
  assert.is(image?.type === 'image' && image.id, id);

  const seen: string[] = [];
  const failed = await rejects(
    tsbox.build({
      context,
      dockerfileText: 'FROM busybox\nRUN exit 7',
      network: 'none',
      onEvent: event => seen.push(event.type === 'step-failed' ? `failed ${event.exitCode}` : event.type),
    }),
  );
  assert.equal([failed.code, seen.includes('failed 7')], ['BUILD', true]);
  const mistake = await rejects(tsbox.build({ context, dockerfileText: 'FORM busybox' }));
  assert.is(mistake.code, 'DOCKERFILE');
});

test('a build that is cancelled: ABORTED, its running command is gone, and its finished step is cache', async () => {
  const { build, context } = await libraryScene();
  const stop = new AbortController();
  const cancelled = await openLibrary('build', stop.signal);
  const first = 'FROM busybox\nRUN echo finished > /one\n';
  const onEvent = (event: BuildEvent): void => {
    if (event.type === 'step-log' && Buffer.from(event.data).includes('waiting')) stop.abort();
  };
  const dockerfileText = `${first}RUN echo waiting; sleep 1000`;
  const failed = await rejects(cancelled.build({ context, dockerfileText, network: 'none', onEvent }));
  assert.is(failed.code, 'ABORTED');
  assert.is((await build(first)).cached, 1);
  assert.equal(await cancelled.containers({ all: true }), []);
});

test.run();
git.run();
