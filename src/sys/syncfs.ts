import { SysError } from './error.ts';
import { bindBlocking } from './libc.ts';

const syncfs = bindBlocking('int syncfs(int fd)');
const EIO = 5;

/** Resolves when all that the file system of an open file was given is on the disk (syncfs(2)). Rejects with SysError EIO: it could not be written. */
export async function syncFileSystem(fd: number): Promise<void> {
  if ((await syncfs(fd)) !== 0) throw new SysError('syncfs', EIO);
}
