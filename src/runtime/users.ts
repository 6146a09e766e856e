import { TsboxError } from '../errors.ts';
import { quote } from '../oci/quote.ts';

/** Who a process runs as. Ids are inside the container. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, without duplicates. */
  readonly groups: readonly number[];
  /** Home directory from passwd, `/` for an id that passwd does not know. */
  readonly home: string;
  /** The image's passwd with a line for this user, if it has none and wants one. */
  readonly passwd?: Uint8Array;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** Largest id that docker accepts as a number (moby/user: 2^31 - 1). */
const MAX_ID = 2 ** 31 - 1;

/**
 * `-u` and an image's User: `name|uid[:group|gid]`, empty for root; names win over numbers, as in docker. `passwd` and
 * `group` are the image's files, undefined when it has none. Throws USER for anything that is neither a known name nor
 * a plain decimal id: `-1`, `1e3`, `4294967296` (CVE-2026-30892 is what a lenient parser does).
 */
export function resolveUser(
  spec: string,
  passwd: string | undefined,
  group: string | undefined,
): ResolvedUser {
  const [userPart = '', groupPart = '', ...rest] = spec.split(':');
  if (rest.length > 0) throw bad(spec, 'it has more than one colon', 'use name|uid[:group|gid]');
  const users = parsePasswd(passwd ?? '');
  const groups = parseGroup(group ?? '');
  const { name, ...user } = findUser(userPart || '0', users, spec);
  if (groupPart) return { ...user, gid: findGroup(groupPart, groups, spec), groups: [] };
  const member = name === undefined ? [] : groups.filter(g => g.members.includes(name));
  return { ...user, groups: [...new Set(member.map(g => g.gid))] };
}

/**
 * --group-add: names of the image's group file and numbers. Throws USER for one that is neither. `keep-groups` is no group: it says
 * that nothing is added and nothing taken away.
 */
export function resolveGroups(names: readonly string[], group: string | undefined): number[] {
  const groups = parseGroup(group ?? '');
  return names.filter(name => name !== KEEP_GROUPS).map(name => findGroup(name, groups, name, '--group-add'));
}

export const KEEP_GROUPS = 'keep-groups';

/**
 * The image's passwd with a line for an id that it does not know; undefined when it knows it. Without one `whoami`, ssh, git and
 * others refuse to work. `name` is taken unless the image has it already.
 */
export function passwdWith(
  user: Pick<ResolvedUser, 'uid' | 'gid' | 'home'>,
  passwd: string,
  name: string | undefined,
): string | undefined {
  const users = parsePasswd(passwd);
  if (users.some(u => u.uid === user.uid)) return undefined;
  const free =
    name !== undefined && /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name) && !users.some(u => u.name === name);
  const line = [free ? name : user.uid, '*', user.uid, user.gid, 'container user', user.home, '/bin/sh'].join(
    ':',
  );
  return `${passwd}${passwd === '' || passwd.endsWith('\n') ? '' : '\n'}${line}\n`;
}

function findUser(text: string, users: readonly PasswdEntry[], spec: string) {
  const number = decimal(text);
  const entry = users.find(u => u.name === text) ?? users.find(u => u.uid === number);
  if (entry) return { uid: entry.uid, gid: entry.gid, home: entry.home || '/', name: entry.name };
  if (number === undefined) {
    throw bad(
      spec,
      `no user ${quote(text)} in the container's /etc/passwd`,
      'give a numeric uid, or a user the image has',
    );
  }
  return { uid: number, gid: 0, home: number === 0 ? '/root' : '/', name: undefined };
}

function findGroup(text: string, groups: readonly GroupEntry[], spec: string, what = 'user'): number {
  const gid = groups.find(g => g.name === text)?.gid ?? decimal(text);
  if (gid !== undefined) return gid;
  throw bad(
    spec,
    `no group ${quote(text)} in the container's /etc/group`,
    'give a numeric gid, or a group the image has',
    what,
  );
}

/** undefined for anything but plain decimal digits within docker's range. */
function decimal(text: string): number | undefined {
  if (!/^[0-9]{1,12}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= MAX_ID ? value : undefined;
}

function parsePasswd(text: string): PasswdEntry[] {
  return lines(text).flatMap(([name = '', , uid = '', gid = '', , home = '']) => {
    const ids = [decimal(uid), decimal(gid)] as const;
    return name && ids[0] !== undefined && ids[1] !== undefined
      ? [{ name, uid: ids[0], gid: ids[1], home }]
      : [];
  });
}

function parseGroup(text: string): GroupEntry[] {
  return lines(text).flatMap(([name = '', , number = '', members = '']) => {
    const gid = decimal(number);
    return name && gid !== undefined ? [{ name, gid, members: members.split(',') }] : [];
  });
}

const lines = (text: string): string[][] =>
  text
    .split('\n')
    .filter(line => line.trim() !== '' && !line.startsWith('#'))
    .map(line => line.trim().split(':'));

function bad(spec: string, why: string, hint: string, what = 'user'): TsboxError {
  return new TsboxError('USER', `${what} ${quote(spec)}: ${why}`, { hint });
}
