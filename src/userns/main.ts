import { read, readFileSync, writeSync } from 'node:fs';
import { messageOf, TsboxError } from '../errors.ts';
import type { Ownership } from '../layer/metadata.ts';
import type { ApplyTask, FlattenTask, TaskReply } from '../layer/tasks.ts';
import { type UnpackResult, unpackLayer } from '../layer/unpack.ts';
import { enterRootFd } from '../sys/chroot.ts';
import { holdsId, parseIdMap } from './id-map.ts';

/**
 * The second entry point: Node inside a user + mount namespace with the ids of a container, started by the helper's `enter`. One
 * process does one task, then ends. Descriptors: 0 the directory to work in, 1 the reply (one line of JSON), 4 the data.
 */
const DIRECTORY = 0;
const REPLY = 1;
const DATA = 4;
const READ = 256 * 1024;

async function main(argument: string | undefined): Promise<void> {
  try {
    const task = JSON.parse(argument ?? '') as ApplyTask | FlattenTask;
    if (task.task === 'flatten') await flattenLayers(task);
    else reply({ ok: await apply(task) });
  } catch (error) {
    const { code, hint } =
      error instanceof TsboxError ? error : { code: 'INTERNAL' as const, hint: undefined };
    reply({ error: { code, message: messageOf(error), ...(hint !== undefined && { hint }) } });
    process.exitCode = 1;
  }
}

async function flattenLayers({ layers, target }: FlattenTask): Promise<void> {
  process.umask(0);
  try {
    (await import('../layer/flatten.ts')).flatten(layers, target);
  } catch (error) {
    writeSync(2, `${messageOf(error)}\n`);
    throw error;
  }
}

async function apply({ mode, limits }: ApplyTask): Promise<UnpackResult> {
  const ownership = ownershipOf(mode);
  process.umask(0);
  // Everything that is needed from files is loaded by now; from here on they are those of the layer.
  enterRootFd(DIRECTORY);
  return unpackLayer(readAll(DATA), { root: '', ownership, limits });
}

function ownershipOf(mode: ApplyTask['mode']): Ownership {
  const [uids, gids] = [readMap('uid_map'), readMap('gid_map')];
  return {
    holdsUid: uid => holdsId(uids, uid),
    holdsGid: gid => holdsId(gids, gid),
    keepSetuid: mode !== 'single',
  };
}

const readMap = (name: string) => parseIdMap(readFileSync(`/proc/self/${name}`, 'utf8'));

/** Reads on a worker thread, so that a piece is on its way while the one before is being written to files. */
async function* readAll(fd: number): AsyncGenerator<Buffer> {
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(READ);
    const filled = await fill(fd, buffer);
    if (filled > 0) yield buffer.subarray(0, filled);
    if (filled < READ) return;
  }
}

/** Until the buffer is full or the data ends: a pipe gives little at a time, and each piece costs a round of the decompressor. */
async function fill(fd: number, buffer: Buffer): Promise<number> {
  for (let filled = 0; filled < buffer.length; ) {
    const count = await readSome(fd, buffer, filled);
    if (count === 0) return filled;
    filled += count;
  }
  return buffer.length;
}

function readSome(fd: number, buffer: Buffer, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, offset, buffer.length - offset, null, (error, n) =>
      error ? reject(error) : resolve(n),
    );
  });
}

function reply(message: TaskReply): void {
  writeSync(REPLY, `${JSON.stringify(message)}\n`);
}

// Not `await`: the bundle is CommonJS, which has none at its top.
void main(process.argv[2]);
