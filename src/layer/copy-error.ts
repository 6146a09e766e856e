import { getSystemErrorMap } from 'node:util';
import { hasErrno, TsboxError } from '../errors.ts';
import { type ByteString, show } from './bytes.ts';

/** docker's words where it has some. */
export const notFound = (path: ByteString): TsboxError =>
  new TsboxError('NOT_FOUND', `could not find the file ${show(path)} in the container`, { exitCode: 1 });

/** What a failed system call means for a copy. */
export function copyError(error: unknown, name: ByteString): TsboxError {
  if (error instanceof TsboxError) return error;
  if (hasErrno(error, 'ENOSPC', 'EDQUOT')) {
    return new TsboxError('NO_SPACE', `${show(name)}: the disk or the quota is full`, {
      cause: error,
      exitCode: 1,
      check: 'store-space',
    });
  }
  if (hasErrno(error, 'EROFS')) {
    return new TsboxError('BAD_STATE', `${show(name)}: ${READ_ONLY}`, { cause: error, exitCode: 1 });
  }
  return new TsboxError('IO', `${show(name)}: ${reason(error)}`, { cause: error, exitCode: 1 });
}

/** Whether it is the root or a volume is for those to say who know the mounts. */
export const READ_ONLY = 'the file system is read-only';

/** Node repeats the whole path in its messages, with every control character. */
function reason(error: unknown): string {
  const { errno, code, syscall, message } = error as NodeJS.ErrnoException;
  const text = (errno !== undefined && getSystemErrorMap().get(-Math.abs(errno))?.[1]) || code;
  return text === undefined ? message : `${syscall ?? 'system call'}: ${text}`;
}
