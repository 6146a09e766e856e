import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { hasErrno } from '../errors.ts';
import { findProgram } from './binaries.ts';
import { SINGLE_FILE } from './here.ts';
import type { IdRange } from './id-ranges.ts';
import { ourUid } from './paths.ts';
import { runProgram } from './spawn.ts';
import { freeRange, type IdFiles, spanOf } from './subid-free.ts';

/** Subordinate ids of a user: subuid(5), subgid(5), getsubids(1). */

/** Where to look; tests give other files. */
export interface SubidSources {
  readonly subuid: string;
  readonly subgid: string;
  readonly nsswitch: string;
}

export const SYSTEM_SOURCES: SubidSources = {
  subuid: '/etc/subuid',
  subgid: '/etc/subgid',
  nsswitch: '/etc/nsswitch.conf',
};

export interface Subids {
  readonly uid: readonly IdRange[];
  readonly gid: readonly IdRange[];
}

/**
 * All ranges of a user, in the order of the files; empty when there are none. Both kinds of entry count: by name and by
 * number (subgid too is keyed by the user, not by a group). `getsubids` is asked when the files are silent and nsswitch.conf
 * names another source.
 */
export async function subidsOf(user: { name?: string; uid: number }, from = SYSTEM_SOURCES): Promise<Subids> {
  const uid = parseSubids(read(from.subuid), user);
  const gid = parseSubids(read(from.subgid), user);
  if (uid.length > 0 && gid.length > 0) return { uid, gid };
  if (user.name === undefined || !hasNssSource(read(from.nsswitch))) return { uid, gid };
  return (await askNss(user.name)) ?? { uid, gid };
}

/** The lines `OWNER:START:COUNT` of one user. A line with numbers that are none gives a range of NaN, refused later. */
export function parseSubids(text: string, user: { name?: string; uid: number }): IdRange[] {
  return text
    .split('\n')
    .map(line => line.trim().split(':'))
    .filter(
      ([owner]) => owner !== undefined && owner !== '' && (owner === user.name || owner === String(user.uid)),
    )
    .map(([, start = '', count = '', ...more]) => ({
      start: more.length > 0 ? Number.NaN : decimal(start),
      count: decimal(count),
    }))
    .filter(range => range.count !== 0);
}

/** `subid: sss` in nsswitch.conf: the ranges come from a directory service. */
export function hasNssSource(nsswitch: string): boolean {
  const source = /^\s*subid:\s*([^#\s]+)/m.exec(nsswitch)?.[1];
  return source !== undefined && source !== 'files';
}

/** Output of getsubids: `0: alice 100000 65536`. */
export function parseGetsubids(output: string): IdRange[] {
  return [...output.matchAll(/^\d+:\s+\S+\s+(\d+)\s+(\d+)\s*$/gm)].map(([, start = '', count = '']) => ({
    start: decimal(start),
    count: decimal(count),
  }));
}

/** What decides which ids are free on this machine. */
export function idFiles(from = SYSTEM_SOURCES): IdFiles {
  return {
    subuid: read(from.subuid),
    subgid: read(from.subgid),
    passwd: read('/etc/passwd'),
    group: read('/etc/group'),
    loginDefs: read('/etc/login.defs'),
  };
}

/** The command that gives a user subordinate ids on this machine. */
export function subidAdvice(user: string, from = SYSTEM_SOURCES): string {
  const range = freeRange(idFiles(from));
  const span = range === undefined ? 'FIRST-LAST' : spanOf(range);
  return `usermod --add-subuids ${span} --add-subgids ${span} ${user}`;
}

/** Where a directory service gives out the ranges, the files count for nothing. */
export const subidsFromDirectory = (from = SYSTEM_SOURCES): boolean => hasNssSource(read(from.nsswitch));

/** The name of the user we run as; undefined when the user database does not know it (then only numbers count). */
export function ourName(passwd = '/etc/passwd'): string | undefined {
  // The runtime is only asked for users of a directory service: node:os takes a millisecond, and Bun takes $USER for the name, which `su` and `sudo` leave behind.
  const named = nameIn(read(passwd), ourUid());
  if (named !== undefined) return named;
  try {
    const { username } = userInfo();
    return username === '' || (SINGLE_FILE && username === 'unknown') ? undefined : username;
  } catch {
    return undefined;
  }
}

/** The first name of a number in the text of a passwd(5). */
export function nameIn(passwd: string, uid: number): string | undefined {
  const line = passwd
    .split('\n')
    .map(l => l.split(':'))
    .find(([, , number]) => number === String(uid));
  return line?.[0] || undefined;
}

async function askNss(name: string): Promise<Subids | undefined> {
  const getsubids = await findProgram('getsubids');
  if (getsubids === undefined) return undefined;
  const [uid, gid] = await Promise.all(
    [[name], ['-g', name]].map(args => runProgram(getsubids, args, { timeoutMs: 10_000 })),
  );
  return { uid: parseGetsubids(uid?.stdout ?? ''), gid: parseGetsubids(gid?.stdout ?? '') };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES', 'ENOTDIR')) return '';
    throw error;
  }
}

/** Only decimal digits: `1e5`, `0x10` and the empty string are no numbers in these files. */
const decimal = (text: string): number => (/^\d{1,10}$/.test(text) ? Number(text) : Number.NaN);
