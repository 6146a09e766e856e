import { TsboxError } from '../errors.ts';
import { shortId } from '../store/containers.ts';
import type { ImageRecord } from '../store/images.ts';
import type { ImageUser } from './rmi-users.ts';

/** Docker's words for why an image stays, which scripts look for; the hint is ours. */

const short = ({ id }: ImageRecord): string => id.slice('sha256:'.length, 'sha256:'.length + 12);

export function nameConflict(typed: string, image: ImageRecord, user: ImageUser): TsboxError {
  const id = shortId(user.id);
  return conflict(
    `unable to remove repository reference "${typed}" (must force) - container ${id} is using its referenced image ${short(image)}`,
    user.running ? `tsbox rm -f ${id} first` : `tsbox rm ${id} first, or use --force`,
  );
}

export function runningConflict(image: ImageRecord, user: ImageUser): TsboxError {
  const id = shortId(user.id);
  return conflict(
    `unable to delete ${short(image)} (cannot be forced) - image is being used by running container ${id}`,
    `tsbox rm -f ${id} first`,
  );
}

export function activeConflict(image: ImageRecord): TsboxError {
  return conflict(
    `unable to delete ${short(image)} (must be forced) - image is referenced in multiple repositories`,
    'remove it by its names, or use --force',
  );
}

export function stoppedConflict(image: ImageRecord, user: ImageUser): TsboxError {
  const id = shortId(user.id);
  return conflict(
    `unable to delete ${short(image)} (must be forced) - image is being used by stopped container ${id}`,
    `tsbox rm ${id} first, or use --force`,
  );
}

function conflict(message: string, hint: string): TsboxError {
  return new TsboxError('CONFLICT', `conflict: ${message}`, { hint, exitCode: 1 });
}
