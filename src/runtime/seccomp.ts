import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { hasErrno, TsboxError } from '../errors.ts';
import { FROM_SOURCE, HERE } from '../host/here.ts';
import { DEFAULT_CAPABILITIES } from './capabilities.ts';
import type { NativeArch } from './seccomp/rules.ts';

/**
 * Seccomp filters for containers: arrays of struct sock_filter for the `seccomp` operation. The tables and the compiler
 * are loaded when a filter has to be made, which after the first container of a kind is never.
 */

export interface FilterOptions {
  /** The container's bounding set; decides which groups of calls are allowed. Default: docker's default set. */
  readonly caps?: bigint;
  /** Node's name of the architecture; default: this machine's. */
  readonly arch?: string;
  /** Answer chown, setuid … with success (docs/root-emulation.md). Default false. */
  readonly rootEmulation?: boolean;
}

/** By whom a filter is made. */
interface Made {
  /** `auto` (default): by libseccomp where it is installed; `own`: without it in any case. The effect is the same. */
  readonly generator?: 'auto' | 'own';
}

/**
 * Changes whenever the default filter does (a unit test compares a digest); part of the cache's file names, so that a
 * newer tsbox never takes an older one's filter.
 */
export const FILTER_REVISION = 2;

/** The default profile as a filter: an allow-list equal in effect to docker's. Throws HOST on other architectures. */
export async function defaultFilter(options: FilterOptions & Made = {}): Promise<Uint8Array> {
  const { buildDefault } = await import('./seccomp/build.ts');
  return buildDefault(
    nativeArch(options.arch),
    options.caps ?? DEFAULT_CAPABILITIES,
    options.rootEmulation ?? false,
    options.generator,
  );
}

/**
 * A filter from a profile in docker's JSON format (`--security-opt seccomp=FILE`) or runtime-spec's linux.seccomp.
 * Throws USAGE with the path of the bad member: `syscalls[3].args[0].op`.
 */
export async function profileFilter(
  json: string,
  options: FilterOptions &
    Made & {
      /** Kernel release for `minKernel`; default: this one's. */ readonly kernel?: string;
    } = {},
): Promise<Uint8Array> {
  const { buildProfile } = await import('./seccomp/profile.ts');
  return buildProfile(json, {
    native: nativeArch(options.arch),
    caps: options.caps ?? DEFAULT_CAPABILITIES,
    rootEmulation: options.rootEmulation ?? false,
    ...(options.kernel !== undefined && { kernel: options.kernel }),
    ...(options.generator && { generator: options.generator }),
  });
}

/**
 * `profileFilter`, kept in `cacheDir` by everything that it was made from: the text of the profile, capabilities, emulation, kernel.
 */
export async function cachedProfileFilter(
  cacheDir: string,
  json: string,
  options: FilterOptions = {},
): Promise<Uint8Array> {
  const { profileCacheName } = await import('./seccomp/cache-name.ts');
  return cached(cacheDir, profileCacheName(json, cacheName(options)), () => profileFilter(json, options));
}

/** A filter that allows everything but fakes what root emulation fakes: for `seccomp=unconfined` with emulation on. */
export async function emulationFilter(options: Pick<FilterOptions, 'arch'> = {}): Promise<Uint8Array> {
  return (await import('./seccomp/build.ts')).buildEmulation(nativeArch(options.arch));
}

/** Where `npm run build` puts the filters that most containers have (src/bundle/seccomp.ts). */
const SHIPPED = `${FROM_SOURCE ? `${HERE}/../../dist` : HERE}/seccomp`;

/**
 * `defaultFilter`, from `shipped` if it was made when tsbox was built, else kept in `cacheDir` (made if its parent is there; it must
 * be the user's own) by everything that its content depends on. A file that cannot be read or written costs time, never the
 * container.
 */
export async function cachedDefaultFilter(
  cacheDir: string,
  options: FilterOptions = {},
  shipped = SHIPPED,
): Promise<Uint8Array> {
  const known = read(`${shipped}/${cacheName(options)}`);
  if (known && isWhole(known)) return known;
  return cached(cacheDir, cacheName(options), () => defaultFilter(options));
}

async function cached(cacheDir: string, name: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
  const path = `${cacheDir}/${name}`;
  const known = read(path);
  if (known && isWhole(known)) return known;
  const program = await make();
  save(cacheDir, path, program);
  return program;
}

/** Node's `arch` where there is a table for it. */
function nativeArch(name: string = process.arch): NativeArch {
  if (name === 'x64' || name === 'arm64') return name;
  throw new TsboxError('HOST', `there is no seccomp filter for the architecture ${name}`, {
    hint: 'run without one: --security-opt seccomp=unconfined',
  });
}

/** Every capability by its bit, although most change nothing: which ones do is known only to the rules. */
export function cacheName(options: FilterOptions): string {
  const caps = (options.caps ?? DEFAULT_CAPABILITIES).toString(16);
  const emulation = options.rootEmulation ? '-root' : '';
  return `seccomp-${FILTER_REVISION}-${nativeArch(options.arch)}-${caps}${emulation}.bpf`;
}

/** Whole instructions, the last one a return. */
function isWhole(program: Uint8Array): boolean {
  return program.length >= 8 && program.length % 8 === 0 && program[program.length - 8] === 0x06;
}

function read(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function save(cacheDir: string, path: string, program: Uint8Array): void {
  const temporary = `${path}.${process.pid}`;
  try {
    makeDirectory(cacheDir);
    write(temporary, program);
    renameSync(temporary, path);
  } catch {
    remove(temporary);
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Its directory is not there, so it is not either.
  }
}

/** Synced: a file that a power cut leaves full of zeros would be refused by the kernel at every later start. */
function write(path: string, program: Uint8Array): void {
  const fd = openSync(path, 'w', 0o600);
  try {
    writeSync(fd, program);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
