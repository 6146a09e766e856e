import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { RunMount } from '../build/instructions.ts';
import { hasErrno } from '../errors.ts';
import { giveToStore } from '../host/owner.ts';
import type { GiveTask } from '../layer/tasks.ts';
import { ioError } from '../store/atomic.ts';
import { acquireLock, type Lock, tryLock } from '../store/lock.ts';
import { mkdir } from '../util/files.ts';
import { newSha256 } from '../util/hash.ts';
import { type OneRequest, type PreparedMount, targetOf } from './build-run-request.ts';
import type { BuildSession } from './build-session.ts';
import type { Engine } from './context.ts';
import { enterHost } from './machine.ts';
import { startTask } from './userns-process.ts';

/**
 * A directory that outlives the build: `build/mounts/<hash of its id>`. The id never is a path (CVE-2024-9675). `locked` waits for others, `private` takes
 * another directory when one is in use.
 */
export async function cacheMount(
  { engine }: BuildSession,
  mount: RunMount,
  request: OneRequest,
): Promise<PreparedMount> {
  const target = targetOf(mount.target ?? '', request);
  const { id = target, uid, gid, mode, sharing, readOnly } = mount;
  return {
    inputs: ['cache', target, id, uid, gid, mode, sharing, readOnly],
    open: async () => {
      const { lock, source } = await take(engine, mount, id);
      const record = { type: 'bind', source, target, readOnly, options: [], anonymous: false } as const;
      return { records: [record], targets: [target], close: () => lock.release() };
    },
  };
}

async function take(engine: Engine, mount: RunMount, id: string): Promise<{ lock: Lock; source: string }> {
  const name = newSha256().update(id).digest('hex').slice(0, 32);
  for (let number = 0; ; number++) {
    const directory = join(engine.paths.root, 'build', 'mounts', number === 0 ? name : `${name}-${number}`);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    for (const path of [join(directory, '..', '..'), join(directory, '..'), directory])
      giveToStore(engine.paths.root, path);
    const lock = await lockOf(join(directory, 'lock'), mount.sharing);
    if (lock) return { lock, source: await dataOf(engine, directory, mount, lock) };
  }
}

async function lockOf(path: string, sharing: RunMount['sharing']): Promise<Lock | undefined> {
  if (sharing === 'private') return tryLock(path);
  return acquireLock(path, { kind: sharing === 'locked' ? 'exclusive' : 'shared' });
}

/** Made once; what the mount says of owner and mode is for that moment, as with docker. */
async function dataOf(engine: Engine, directory: string, mount: RunMount, lock: Lock): Promise<string> {
  const data = join(directory, 'data');
  const { uid = 0, gid = 0, mode = 0o755 } = mount;
  try {
    await mkdir(data, { mode: 0o700 });
    giveToStore(engine.paths.root, data);
    chmodSync(data, mode);
    if (uid !== 0 || gid !== 0) await give(engine, data, uid, gid);
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return data;
    await lock.release();
    throw ioError(error, `cannot make ${data}`);
  }
  return data;
}

async function give(engine: Engine, path: string, uid: number, gid: number): Promise<void> {
  const task: GiveTask = { task: 'give', uid, gid, path };
  const what = 'the process that gives a cache to its user';
  await (await startTask<number>(await enterHost(engine), task, { name: 'give', directory: path, what }))
    .result;
}
