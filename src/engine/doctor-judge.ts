import type { FileSystem } from '../host/filesystem.ts';
import { CLOSED } from '../host/userns-closed.ts';
import type { NetworkProbe } from '../network/driver.ts';
import type { StorageProbe } from '../storage/driver.ts';
import { type Answer, fail, ok, warn } from './doctor-answer.ts';

/** What follows from what was found. Pure: every machine can be judged, also those that nobody has here. */

/** package.json, engines. */
export const OLDEST_NODE = [20, 11] as const;

export function judgeNode(version: string): Answer {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [wantMajor, wantMinor] = OLDEST_NODE;
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return ok(version);
  return fail('node-old', `${version} is older than ${OLDEST_NODE.join('.')}`);
}

/** `found`: major and minor. */
export function judgeKernel(version: string, [major, minor]: readonly [number, number]): Answer {
  const atLeast = (a: number, b: number): boolean => major > a || (major === a && minor >= b);
  if (atLeast(5, 11)) return ok(version);
  if (atLeast(4, 18)) return warn('overlay-kernel', `${version}: before 5.11 users cannot mount overlayfs`);
  return fail('kernel-old', `${version}: before 4.18 users cannot mount FUSE in a user namespace`);
}

/** What `tsbox-helper version` said. */
export interface HelperSaid {
  readonly path: string;
  /** Null: a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function judgeHelper({ path, status, stdout, stderr }: HelperSaid, protocol: string): Answer {
  const version = stdout.trim();
  if (status === 0 && version === protocol) return ok(`${path}, protocol ${version}`);
  const said =
    version || stderr.trim() || (status === null ? 'it was ended by a signal' : `status ${status}`);
  return fail('helper-broken', `${path} does not speak protocol ${protocol}: ${said}`);
}

/** access(2) of /dev/fuse or /dev/net/tun: the errno's name, undefined: it can be opened. */
export function judgeDevice(name: 'fuse' | 'tun', problem: string | undefined): Answer {
  if (problem === undefined) return ok('can be opened');
  if (problem === 'ENOENT' || problem === 'ENXIO' || problem === 'ENODEV')
    return warn(`${name}-missing`, 'is missing');
  return warn(`${name}-closed`, `cannot be opened (${problem})`);
}

const MEBI = 1024 * 1024;
/** Less than this and even a small image does not fit. */
const LITTLE = 512 * MEBI;
/** A small distribution has some thousand files. */
const FEW = 10_000;

export function judgeStore(path: string, { name, noUpper, available, inodes }: FileSystem): Answer {
  const detail = `${path} on ${name}, ${Math.floor(available / MEBI)} MiB free`;
  if (noUpper) return warn('store-filesystem', `${detail}: cannot hold the upper directory of an overlay`);
  if (available < LITTLE) return warn('store-space', detail);
  // btrfs and others count none.
  return inodes > 0 && inodes < FEW ? warn('store-space', `${detail}, ${inodes} inodes left`) : ok(detail);
}

/** Neither driver alone stops a run: there is the other one, and vfs. */
export function judgeStorage(name: 'overlay' | 'fuse-overlayfs', probe: StorageProbe): Answer {
  if (probe.ok) return ok('works');
  const otherwise = name === 'overlay' ? 'overlay-refused' : 'fuse-overlayfs-failed';
  return warn(probe.check ?? otherwise, probe.reason ?? 'does not work here');
}

export const judgeSlirp = (probe: NetworkProbe): Answer =>
  probe.ok ? ok('works') : warn(probe.check ?? 'uplink-failed', probe.reason ?? 'does not work here');

/** The second choice, which is missed by nobody who has the first. */
export function judgePasta(probe: NetworkProbe, slirp: NetworkProbe): Answer {
  if (probe.ok) return ok('works');
  const reason = probe.reason ?? 'does not work here';
  return slirp.ok ? ok(`${reason}; slirp4netns is taken`) : warn(probe.check ?? 'uplink-failed', reason);
}

export function judgeFilter(found: { nft?: string | undefined; iptables?: string | undefined }): Answer {
  if (found.nft !== undefined) return ok(found.nft);
  if (found.iptables !== undefined) return ok(`${found.iptables}, since there is no nft`);
  return warn('filter-missing', 'neither nft nor iptables is installed');
}

/** Where `-p` listens when it is not told, and what it may bind. */
export function judgePorts(facts: { address: string | undefined; start: number; root: boolean }): Answer {
  const where =
    facts.address ??
    '0.0.0.0 and ::, every address, as docker does (publish_address in config.toml changes it)';
  const low = facts.start > 0 && !facts.root ? `; ports below ${facts.start} are root's` : '';
  return ok(`-p listens on ${where}${low}`);
}

export interface IdsFound {
  readonly mode: string;
  readonly users: number;
  readonly groups: number;
  /** Why `auto` takes single mode. */
  readonly warning?: string | undefined;
  readonly check?: Parameters<typeof warn>[0] | undefined;
}

export function judgeIds({ mode, users, groups, warning, check }: IdsFound): Answer {
  if (warning !== undefined) return warn(check ?? 'subid-missing', (warning.split(';')[0] ?? warning).trim());
  return ok(`${mode}: ${users} user ids, ${groups} group ids`);
}

/** Each kind is made alone, so that the one that is missing can be named. */
export function judgeNamespaces(kinds: readonly string[], missing: readonly string[]): Answer {
  if (missing.length === 0) return ok(kinds.join(', '));
  return fail('namespaces-missing', `cannot be made: ${missing.join(', ')}`);
}

/** What an error of the real path has found out already; else the general finding of the step. */
export const judgeError = (
  check: Parameters<typeof fail>[0] | undefined,
  otherwise: Parameters<typeof fail>[0],
  message: string,
): Answer => fail(check ?? otherwise, CLOSED[check ?? otherwise]?.reason ?? message);
