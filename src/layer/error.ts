import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { type ByteString, show } from './bytes.ts';

const HINT = 'the archive is damaged or hostile; get it again, or report it to whoever made it';

/** LAYER: what is wrong with the archive, and in which entry. */
export function layerError(problem: string, name?: ByteString, cause?: unknown): TsboxError {
  const where = name === undefined ? '' : `entry ${show(name)}: `;
  return new TsboxError('LAYER', `${where}${problem}`, { hint: HINT, cause });
}

/** What a failed system call means while an entry is written: a full disk is not the archive's fault. */
export function applyError(error: unknown, name: ByteString): TsboxError {
  if (error instanceof TsboxError) return error;
  if (!hasErrno(error, 'ENOSPC', 'EDQUOT')) return layerError(reason(error), name, error);
  return new TsboxError('NO_SPACE', `entry ${show(name)}: the disk or the quota is full`, {
    cause: error,
    hint: 'free some space (tsbox rmi, tsbox rm), or put the store elsewhere with --root',
    check: 'store-space',
  });
}

/** Node repeats the whole path in its messages, with every control character; errno and call are enough. */
function reason(error: unknown): string {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  return typeof code === 'string' && typeof syscall === 'string' ? `${syscall}: ${code}` : messageOf(error);
}
