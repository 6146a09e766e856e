import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ContextTools, namedContextKind, openContext } from '../../../src/build/context.ts';
import { DirectoryContext } from '../../../src/build/context-directory.ts';
import { gitSource } from '../../../src/build/context-git.ts';
import { isArchive } from '../../../src/build/context-sniff.ts';
import type { TsboxError } from '../../../src/errors.ts';

const test = suite('build contexts');
let dir = '';
test.before.each(() => {
  dir = mkdtempSync(join(tmpdir(), 'tsbox-context-'));
});
test.after.each(() => rmSync(dir, { recursive: true, force: true }));

const put = (name: string, text = name, mode = 0o644): void => {
  const path = join(dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
};

async function listed(root = dir): Promise<string[]> {
  const context = new DirectoryContext({ root });
  try {
    return context.entries().map(entry => `${entry.path}${entry.type === 'directory' ? '/' : ''}`);
  } finally {
    await context.close();
  }
}

test('parents before children, names by bytes, modes kept', async () => {
  for (const name of ['b/c', 'b/a', 'B', 'b.x']) put(name);
  put('run', '', 0o4755);
  symlinkSync('/etc/passwd', join(dir, 'link'));
  assert.equal(await listed(), ['B', 'b/', 'b/a', 'b/c', 'b.x', 'link', 'run']);
  const context = new DirectoryContext({ root: dir });
  const entries = new Map(context.entries().map(entry => [String(entry.path), entry]));
  assert.is(entries.get('run')?.mode, 0o4755);
  assert.equal(entries.get('link')?.target, Buffer.from('/etc/passwd'));
  assert.is(entries.get('B')?.size, 1);
  await context.close();
});

test('names that are no text', async () => {
  writeFileSync(Buffer.concat([Buffer.from(`${dir}/x`), Buffer.from([0xff, 0xfe])]), 'odd');
  const context = new DirectoryContext({ root: dir });
  const [entry] = context.entries();
  assert.equal(entry?.path, Buffer.from([0x78, 0xff, 0xfe]));
  const fd = context.open(entry?.path ?? Buffer.alloc(0));
  assert.is(readFileSync(fd, 'utf8'), 'odd');
  closeSync(fd);
  await context.close();
});

test('sockets and pipes are left out', async () => {
  put('a');
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  const server = createServer().listen(join(dir, 'socket'));
  await new Promise(resolve => server.once('listening', resolve));
  assert.equal(await listed(), ['a']);
  server.close();
});

test('.dockerignore: exceptions within ignored directories bring their parents', async () => {
  for (const name of ['a/b/keep', 'a/b/other', 'a/c/x', 'd/x', 'e']) put(name);
  put('.dockerignore', 'a\nd\n!a/b/keep\n.dockerignore');
  assert.equal(await listed(), ['a/', 'a/b/', 'a/b/keep', 'e']);
});

test('<Dockerfile>.dockerignore comes first', async () => {
  put('x');
  put('y');
  put('.dockerignore', 'x');
  put('my.Dockerfile.dockerignore', 'y');
  const context = new DirectoryContext({ root: dir, ignoreFile: join(dir, 'my.Dockerfile.dockerignore') });
  assert.equal(
    context.entries().map(entry => String(entry.path)),
    ['.dockerignore', 'my.Dockerfile.dockerignore', 'x'],
  );
  await context.close();
});

test('a file is never opened through a link', async () => {
  put('d/secret', 'inside');
  put('plain');
  symlinkSync('d', join(dir, 'link'));
  symlinkSync('plain', join(dir, 'file'));
  const context = new DirectoryContext({ root: dir });
  for (const path of ['link/secret', 'file', '../etc/passwd', 'd', 'd/../plain', 'gone'])
    assert.throws(
      () => context.open(Buffer.from(path)),
      (e: TsboxError) => e.code === 'IO',
      path,
    );
  // A directory that becomes a link after it was listed.
  assert.ok(context.entries().length > 0);
  renameSync(join(dir, 'd'), join(dir, 'moved'));
  symlinkSync('/etc', join(dir, 'd'));
  assert.throws(
    () => context.open(Buffer.from('d/passwd')),
    (e: TsboxError) => e.code === 'IO',
  );
  await context.close();
});

const tools = (): ContextTools & { removed: number } => {
  const made = {
    removed: 0,
    cwd: dir,
    temporary: async () => {
      const path = mkdtempSync(join(dir, 'temporary-'));
      return {
        path,
        remove: async () => {
          made.removed++;
          rmSync(path, { recursive: true });
        },
      };
    },
    unpack: async (archive: AsyncIterable<Buffer>, directory: string) => {
      const pieces: Buffer[] = [];
      for await (const piece of archive) pieces.push(piece);
      execFileSync('tar', ['-x', '-C', directory], { input: Buffer.concat(pieces) });
    },
    download: async () => Readable.from([Buffer.from('FROM url\n')]),
  };
  return made;
};

test('a directory with its Dockerfile, or the one that is named', async () => {
  put('c/Dockerfile', 'FROM a');
  put('c/Other', 'FROM b');
  put('Mine', 'FROM c');
  const of = async (dockerfile?: string): Promise<string> => {
    const opened = await openContext(
      { source: 'c', ...(dockerfile !== undefined && { dockerfile }) },
      tools(),
    );
    await opened.context.close();
    return `${opened.dockerfile.file}: ${opened.dockerfile.text}`;
  };
  assert.is(await of(), 'c/Dockerfile: FROM a');
  assert.is(await of('Mine'), 'Mine: FROM c');
  assert.is(await of('Other'), 'c/Other: FROM b');
  await of('Nothing').then(
    () => assert.unreachable(),
    (e: TsboxError) => assert.is(e.code, 'NOT_FOUND'),
  );
});

test('Containerfile serves where there is no Dockerfile', async () => {
  put('Containerfile', 'FROM c');
  const opened = await openContext({ source: '.' }, tools());
  assert.is(opened.dockerfile.text, 'FROM c');
  await opened.context.close();
});

test('a stream: an archive, or a Dockerfile alone', async () => {
  put('c/Dockerfile', 'FROM a');
  put('c/x');
  const archive = execFileSync('tar', ['-c', '-C', join(dir, 'c'), '.']);
  const made = tools();
  const first = await openContext({ source: Readable.from([archive]) }, made);
  assert.equal(
    first.context.entries().map(entry => String(entry.path)),
    ['Dockerfile', 'x'],
  );
  await first.context.close();
  const second = await openContext(
    { source: Readable.from([Buffer.from('FR'), Buffer.from('OM b\n')]) },
    made,
  );
  assert.is(second.dockerfile.text, 'FROM b\n');
  assert.equal(second.context.entries(), []);
  await second.context.close();
  assert.is(made.removed, 2);
});

test('what is temporary is removed when there is no Dockerfile', async () => {
  put('c/x');
  const made = tools();
  const archive = execFileSync('tar', ['-c', '-C', join(dir, 'c'), '.']);
  await openContext({ source: Readable.from([archive]) }, made).then(
    () => assert.unreachable(),
    () => {},
  );
  assert.is(made.removed, 1);
});

test('the Dockerfile of a foreign context does not lead out of it', async () => {
  mkdirSync(join(dir, 'c'));
  symlinkSync('/etc/passwd', join(dir, 'c/Dockerfile'));
  const archive = execFileSync('tar', ['-c', '-C', join(dir, 'c'), '.']);
  await openContext({ source: Readable.from([archive]) }, tools()).then(
    () => assert.unreachable(),
    (e: TsboxError) => assert.match(e.message, /leads out of the context/),
  );
});

test('URLs: archives or Dockerfiles', async () => {
  const opened = await openContext({ source: 'https://host/Dockerfile' }, tools());
  assert.is(opened.dockerfile.text, 'FROM url\n');
  await opened.context.close();
});

test('a git repository: branch and subdirectory, hooks do not run', async () => {
  put('r/sub/Dockerfile', 'FROM git');
  const git = (...args: string[]): void => {
    execFileSync('git', ['-C', join(dir, 'r'), '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      stdio: 'ignore',
    });
  };
  git('init', '-b', 'main');
  git('add', '.');
  git('commit', '-m', 'first');
  git('checkout', '-b', 'other');
  put('r/sub/Dockerfile', 'FROM other');
  git('commit', '-am', 'second');
  git('checkout', 'main');
  renameSync(join(dir, 'r'), join(dir, 'r.git'));
  const of = async (fragment: string): Promise<string> => {
    const opened = await openContext({ source: `file://${dir}/r.git${fragment}` }, tools());
    await opened.context.close();
    return opened.dockerfile.text;
  };
  assert.is(await of('#:sub'), 'FROM git');
  assert.is(await of('#other:sub'), 'FROM other');
  for (const bad of ['#nothing:sub', '#main:none', '#main:../..'])
    await of(bad).then(
      () => assert.unreachable(),
      (e: TsboxError) => assert.is(e.code, 'NOT_FOUND', bad),
    );
  await of('#--upload-pack=touch').then(
    () => assert.unreachable(),
    (e: TsboxError) => assert.is(e.code, 'USAGE'),
  );
});

test('what is a git repository', () => {
  assert.equal(gitSource('https://h/r.git#ref:a/b'), {
    url: 'https://h/r.git',
    ref: 'ref',
    subdirectory: 'a/b',
  });
  assert.equal(gitSource('git@h:u/r'), { url: 'git@h:u/r' });
  assert.equal(gitSource('github.com/u/r#x'), { url: 'https://github.com/u/r', ref: 'x' });
  for (const none of ['https://h/a.tar.gz', './dir', 'dir.git', 'image:tag', '/a/b'])
    assert.is(gitSource(none), undefined, none);
});

test('what a named context is', () => {
  mkdirSync(join(dir, 'there'));
  assert.equal(namedContextKind('docker-image://alpine:3', dir), { image: 'alpine:3' });
  assert.equal(namedContextKind('alpine:3', dir), { image: 'alpine:3' });
  assert.equal(namedContextKind('there', dir), { source: 'there' });
  assert.equal(namedContextKind('../x', dir), { source: '../x' });
  assert.equal(namedContextKind('https://h/x.tar', dir), { source: 'https://h/x.tar' });
});

test('archives are known by their first bytes', () => {
  const head = execFileSync('tar', ['-c', '-C', '/', 'etc/hostname']).subarray(0, 512);
  assert.ok(isArchive(head));
  assert.ok(isArchive(Buffer.from([0x1f, 0x8b, 8])));
  assert.ok(isArchive(Buffer.alloc(1024)));
  assert.not.ok(isArchive(Buffer.from('FROM x\n'.repeat(200))));
  assert.not.ok(isArchive(Buffer.from('')));
});

test.run();
