import type { ChildProcess } from 'node:child_process';
import { hasErrno, TsboxError } from '../errors.ts';
import { spawnHelper } from '../host/spawn.ts';
import type { ForeignCompression } from '../layer/decompress.ts';

/** Node undoes neither xz nor bzip2; the programs that do are on nearly every machine. */
const PROGRAMS = {
  // 512 MB: a hostile header may ask for gigabytes of dictionary; `xz -9` needs 65 MB.
  xz: { args: ['-dcq', '--memlimit-decompress=512MiB'], packages: 'xz-utils on Debian, xz elsewhere' },
  bzip2: { args: ['-dcq'], packages: 'bzip2' },
} as const;

/** Decompresses with a program of the machine. Throws HOST when it is not installed, LAYER for damaged data, what `source` throws. */
export async function* inflateForeign(
  compression: ForeignCompression,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const child = spawnHelper(compression, PROGRAMS[compression].args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const noise = collect(child);
  const ended = endOf(child, compression, noise);
  const fed = feed(child, source);
  fed.catch(() => {});
  try {
    yield* outputOf(child, ended);
    // An error of the source makes the program complain too; the source's is the one to tell.
    await fed;
    await ended;
  } finally {
    child.kill('SIGKILL');
    await ended.catch(() => {});
  }
}

async function* outputOf({ stdout }: ChildProcess, ended: Promise<void>): AsyncGenerator<Buffer> {
  try {
    for await (const piece of stdout ?? []) yield piece as Buffer;
  } catch (error) {
    // A program that could not be started closes its streams before it says why.
    await ended;
    throw error;
  }
}

async function feed({ stdin }: ChildProcess, source: AsyncIterable<Buffer>): Promise<void> {
  // It may end before it has read everything; its status tells why.
  stdin?.on('error', () => {});
  try {
    for await (const chunk of source) {
      if (!stdin?.writable) return;
      if (!stdin.write(chunk)) await drained(stdin);
    }
  } finally {
    stdin?.end();
  }
}

const drained = (stdin: NodeJS.WritableStream): Promise<void> =>
  new Promise(resolve => {
    stdin.once('drain', resolve).once('close', resolve);
  });

function endOf(child: ChildProcess, name: ForeignCompression, noise: () => string): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', error => reject(cannotStart(name, error)));
    child.once('close', status => (status === 0 ? resolve() : reject(damaged(name, noise()))));
  });
  // It may fail before anybody waits for it.
  ended.catch(() => {});
  return ended;
}

function cannotStart(name: ForeignCompression, cause: Error): TsboxError {
  const why = hasErrno(cause, 'ENOENT') ? `${name} is not installed` : cause.message;
  return new TsboxError('HOST', `the archive is compressed with ${name}, and ${why}`, {
    cause,
    hint: `install it (package ${PROGRAMS[name].packages}), or decompress the archive elsewhere`,
  });
}

function damaged(name: ForeignCompression, noise: string): TsboxError {
  const detail = noise.trim().split('\n')[0]?.slice(0, 200);
  return new TsboxError('LAYER', `damaged ${name} data${detail ? `: ${detail}` : ''}`);
}

function collect({ stderr }: ChildProcess): () => string {
  let text = '';
  stderr?.on('data', (chunk: Buffer) => {
    if (text.length < 1000) text += chunk.toString();
  });
  return () => text;
}
