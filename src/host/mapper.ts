import { readFileSync, statSync } from 'node:fs';
import type { HostCheck } from '../errors.ts';
import { findProgram } from './binaries.ts';
import { runProgram } from './spawn.ts';

/** newuidmap(1) and newgidmap(1): the two setuid programs that write a map with subordinate ids. */
export type MapperName = 'newuidmap' | 'newgidmap';

export type Mapper =
  | { readonly path: string }
  | { readonly problem: string; readonly hint: string; readonly check: HostCheck };

/** What decides for both programs; read once. */
export interface MapperFacts {
  readonly noNewPrivs: boolean;
  readonly mountinfo: string;
}

export function mapperFacts(): MapperFacts {
  return {
    noNewPrivs: /^NoNewPrivs:\s*1$/m.test(readFileSync('/proc/self/status', 'utf8')),
    mountinfo: readFileSync('/proc/self/mountinfo', 'utf8'),
  };
}

/**
 * The program, or one clause that says why it cannot work: missing, neither setuid root nor with the file capability, on a
 * nosuid mount, or under no_new_privs.
 */
export async function findMapper(name: MapperName, facts = mapperFacts()): Promise<Mapper> {
  const path = await findProgram(name);
  if (path === undefined) {
    return {
      problem: `${name} is not installed`,
      hint: 'ask the administrator for the package uidmap (shadow-utils)',
      check: 'mapper-missing',
    };
  }
  if (!isSetuidRoot(path) && !(await hasCapability(path, name))) {
    return {
      problem: `${path} is not setuid root`,
      hint: `ask the administrator for: chmod u+s ${path}`,
      check: 'mapper-setuid',
    };
  }
  if (facts.noNewPrivs) {
    return {
      problem: `no_new_privs is set, so ${path} has no effect`,
      hint: 'start tsbox outside the sandbox it runs in',
      check: 'mapper-privileges',
    };
  }
  const nosuid = nosuidMount(facts.mountinfo, path);
  if (nosuid !== undefined) {
    return {
      problem: `${path} is on ${nosuid}, which is mounted nosuid`,
      hint: `ask the administrator for: mount -o remount,suid ${nosuid}`,
      check: 'mapper-nosuid',
    };
  }
  return { path };
}

function isSetuidRoot(path: string): boolean {
  const stat = statSync(path);
  return (stat.mode & 0o4000) !== 0 && stat.uid === 0;
}

/** Fedora and Arch give the program a file capability in place of the setuid bit. Without getcap nobody can tell: let it try. */
async function hasCapability(path: string, name: MapperName): Promise<boolean> {
  const getcap = await findProgram('getcap');
  if (getcap === undefined) return true;
  const { stdout } = await runProgram(getcap, [path], { timeoutMs: 5_000 });
  return stdout.includes(name === 'newuidmap' ? 'cap_setuid' : 'cap_setgid');
}

/** The mount point above `path` if it is nosuid (proc(5), mountinfo; the last mount of a point is the one on top). */
export function nosuidMount(mountinfo: string, path: string): string | undefined {
  let best: { point: string; nosuid: boolean } | undefined;
  for (const line of mountinfo.split('\n')) {
    const [, , , , escaped, options] = line.split(' ', 6);
    if (escaped === undefined || options === undefined) continue;
    const point = escaped.includes('\\') ? unescaped(escaped) : escaped;
    const above = path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`);
    if (!above || point.length < (best?.point.length ?? 0)) continue;
    best = { point, nosuid: options.split(',').includes('nosuid') };
  }
  return best?.nosuid ? best.point : undefined;
}

const unescaped = (field: string): string =>
  field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
