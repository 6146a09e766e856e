import { TsboxError } from '../errors.ts';
import { resolveUser } from '../runtime/users.ts';
import type { Owner } from './build-layer.ts';
import { lowerTree } from './build-pick.ts';
import type { BuildSession } from './build-session.ts';

const MAX_FILE = 1 << 20;

/**
 * `--chown`: `user[:group]` by name or number. Names are the image's; without a group a number is both, a name brings its own (docker's
 * reference: COPY --chown). Throws USER.
 */
export function ownerOf(session: BuildSession, layers: readonly string[], chown: string): Owner {
  const [user = '', group] = chown.split(':');
  if (/^\d+$/.test(user) && (group === undefined || /^\d+$/.test(group)))
    return { uid: idOf(user, chown), gid: idOf(group ?? user, chown) };
  const tree = lowerTree(session, layers);
  const read = (path: string) => tree.read(path, MAX_FILE)?.toString();
  const found = resolveUser(chown, read('etc/passwd'), read('etc/group'));
  const gid = group === undefined && /^\d+$/.test(user) ? found.uid : found.gid;
  return { uid: found.uid, gid };
}

function idOf(text: string, chown: string): number {
  const id = Number(text);
  if (id < 2 ** 31) return id;
  throw new TsboxError('USER', `--chown=${chown}: ${text} is no id`);
}
