import { TsboxError } from '../errors.ts';
import type { FileAnswer } from './channel.ts';
import { errnoText } from './failure.ts';
import { GROUP, PASSWD } from './plan.ts';
import { passwdWith, type ResolvedUser, resolveGroups, resolveUser } from './users.ts';

const ENOENT = 2;
const ENOTDIR = 20;

/** Resolves `-u` with the files that the barrier read. Throws USER when they are needed and cannot be read. */
export function imageUser(
  spec: string,
  files: ReadonlyMap<string, FileAnswer>,
  groupAdd: readonly string[] = [],
): ResolvedUser {
  const group = textOf(files.get(GROUP), GROUP, spec);
  const user = resolveUser(spec, textOf(files.get(PASSWD), PASSWD, spec), group);
  if (groupAdd.length === 0) return user;
  return { ...user, groups: [...new Set([...user.groups, ...resolveGroups(groupAdd, group)])] };
}

/** The user with a passwd for one whose id the image's does not know. `name`: who the caller is, for keep-id. */
export function withPasswd(
  user: ResolvedUser,
  files: ReadonlyMap<string, FileAnswer>,
  name?: string,
): ResolvedUser {
  const answer = files.get(PASSWD);
  if (user.uid === 0 || !answer || !('content' in answer)) return user;
  const passwd = passwdWith(user, answer.content.toString('latin1'), name);
  return passwd === undefined ? user : { ...user, passwd: Buffer.from(passwd, 'latin1') };
}

/** No such file is an answer; a FIFO, a device or 5 GB under that name is a reason to stop (CVE-2024-9676). */
function textOf(answer: FileAnswer | undefined, path: string, spec: string): string | undefined {
  if (!answer) return undefined;
  if ('content' in answer) return answer.content.toString('utf8');
  if (answer.errno === ENOENT || answer.errno === ENOTDIR) return undefined;
  if (/^[0-9]+:[0-9]+$/.test(spec)) return undefined;
  throw new TsboxError('USER', `${path} of the image cannot be used: ${errnoText(answer.errno)}`, {
    hint: 'it must be a regular file of at most 1 MiB; -u UID:GID does without it',
  });
}
