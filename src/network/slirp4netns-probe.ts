import { closeSync, constants, openSync } from 'node:fs';
import { hasErrno, messageOf } from '../errors.ts';
import { findProgram } from '../host/binaries.ts';
import { runProgram } from '../host/spawn.ts';
import { mkdir, readFile, rename, stat, writeFile } from '../util/files.ts';
import type { NetworkProbe } from './driver.ts';

/** What `slirp4netns --version` says. */
export interface SlirpVersion {
  readonly slirp4netns: string;
  readonly libslirp: string;
}

/** Older ones have known memory errors in code that parses the container's packets (CVE-2020-1983, CVE-2020-29130 and their kin). */
const OLDEST = { slirp4netns: [1, 2], libslirp: [4, 6] } as const;

const INSTALL =
  'install it: apt install slirp4netns (dnf, apk, pacman and zypper have it by the same name), or run with --network none';

let known: Promise<NetworkProbe> | undefined;

/**
 * Is there a slirp4netns that can be trusted, and a /dev/net/tun that can be opened? Asked once per process; the version
 * of a program file is kept in `cacheDir`, since asking it costs as much as starting a container's network.
 */
export function probeSlirp(cacheDir?: string): Promise<NetworkProbe> {
  known ??= probe(cacheDir);
  return known;
}

/** `slirp4netns version 1.2.0 … libslirp: 4.7.0` → both; undefined for text of another form. */
export function parseVersion(text: string): SlirpVersion | undefined {
  const slirp4netns = /^slirp4netns version (\d+\.\d+(?:\.\d+)?)/m.exec(text)?.[1];
  const libslirp = /^libslirp: (\d+\.\d+(?:\.\d+)?)/m.exec(text)?.[1];
  return slirp4netns && libslirp ? { slirp4netns, libslirp } : undefined;
}

/** Why a version is refused; undefined when it is not. */
export function refusal(version: SlirpVersion | undefined): string | undefined {
  if (!version) return 'slirp4netns does not say its version';
  for (const part of ['slirp4netns', 'libslirp'] as const) {
    if (older(version[part], OLDEST[part])) {
      return `${part} ${version[part]} is older than ${OLDEST[part].join('.')} and has known memory errors`;
    }
  }
  return undefined;
}

async function probe(cacheDir: string | undefined): Promise<NetworkProbe> {
  const path = await findProgram('slirp4netns');
  if (!path)
    return { ok: false, reason: 'slirp4netns is not installed', hint: INSTALL, check: 'slirp4netns-missing' };
  const closed = closedTun();
  if (closed) return closed;
  const reason = refusal(parseVersion(await versionText(path, cacheDir)));
  if (!reason) return { ok: true };
  const hint = 'install a newer one, or take the risk: --network slirp4netns:force=true';
  return { ok: false, risky: true, reason, hint, check: 'slirp4netns-old' };
}

/** Why /dev/net/tun cannot be had; undefined when it can. */
export function closedTun(): NetworkProbe | undefined {
  try {
    closeSync(openSync('/dev/net/tun', constants.O_RDWR));
    return undefined;
  } catch (error) {
    const reason = `/dev/net/tun cannot be opened: ${messageOf(error)}`;
    const closed = hasErrno(error, 'EACCES', 'EPERM');
    return { ok: false, reason, hint: tunHint(closed), check: closed ? 'tun-closed' : 'tun-missing' };
  }
}

function tunHint(closed: boolean): string {
  if (closed) {
    return 'as root: chmod 0666 /dev/net/tun; to keep it: echo \'KERNEL=="tun", MODE="0666"\' > /etc/udev/rules.d/90-tun.rules; or run with --network none';
  }
  return 'as root: modprobe tun, and if it is still missing: mkdir -p /dev/net && mknod -m 0666 /dev/net/tun c 10 200; or run with --network none';
}

async function versionText(path: string, cacheDir: string | undefined): Promise<string> {
  const ask = async (): Promise<string> =>
    (await runProgram(path, ['--version'], { timeoutMs: 5000 })).stdout;
  if (!cacheDir) return ask();
  const { ino, size, mtimeMs } = await stat(path);
  const file = `${cacheDir}/slirp4netns-${ino}-${size}-${Math.trunc(mtimeMs)}.txt`;
  const cached = await readFile(file, 'utf8').catch(() => '');
  if (parseVersion(cached)) return cached;
  const text = await ask();
  await keep(cacheDir, file, text).catch(() => {});
  return text;
}

async function keep(cacheDir: string, file: string, text: string): Promise<void> {
  await mkdir(cacheDir, { mode: 0o700 }).catch(() => {});
  await writeFile(`${file}.${process.pid}`, text, { mode: 0o600 });
  await rename(`${file}.${process.pid}`, file);
}

function older(version: string, least: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < least[0] || (major === least[0] && minor < least[1]);
}
