import { chmodSync, lstatSync, readFileSync, type Stats, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import type { Config } from './config-default.ts';
import { makeDirectories } from './directories.ts';
import { makeStore, STORE_FORMAT } from './store-format.ts';

/** Where this installation keeps its things. All absolute. */
export interface Paths {
  readonly root: string;
  /** OCI image layout (oci-layout, index.json, blobs/). */
  readonly images: string;
  /** `layers/<64 hex of the diff id>/fs` and `…/layer.json`. */
  readonly layers: string;
  /** `containers/<id>/config.json`, `state.json`, `lock`, `log`, `upper`, `work`, `merged` …; `containers/.names/<name>`. */
  readonly containers: string;
  /** `volumes/<name>/_data` and `…/volume.json`. */
  readonly volumes: string;
  readonly networks: string;
  readonly tmp: string;
  /** 0700, ours, for sockets. */
  readonly runtime: string;
}

/** A variable of the environment tsbox was started with; an empty one counts as absent (XDG base directory spec). */
export function environment(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** node:os's homedir, which most commands need not load: `$HOME`, else what passwd says. */
export const homeDirectory = (): string => environment('HOME') ?? homedir();

/** As `environment`, and no program that we start sees it any more. */
export function takeEnvironment(name: string): string | undefined {
  const value = environment(name);
  delete process.env[name];
  return value;
}

/** The effective user, whose files these are. Node has no geteuid on platforms tsbox does not run on. */
export const ourUid = (): number => process.geteuid?.() ?? 0;
export const ourGid = (): number => process.getegid?.() ?? 0;

/**
 * Finds the store and the runtime directory and makes them (0700) when they are missing; one readFile and two stats when
 * they are there. Order: `options`, environment, config file, default (docs/state.md). Throws STORE_VERSION for a store of
 * another format or a directory that is no store, IO when one cannot be made or is not ours alone.
 */
export async function openPaths(
  config: Config,
  options: { root?: string; runtimeDir?: string } = {},
): Promise<Paths> {
  const root = resolve(options.root ?? environment('TSBOX_ROOT') ?? config.root ?? defaultRoot());
  const chosen = options.runtimeDir ?? environment('TSBOX_RUNTIME_DIR') ?? config.runtimeDir;
  const runtime = resolve(chosen ?? defaultRuntime());
  const paths = pathsOf(root, runtime);
  if (readFormat(root) !== STORE_FORMAT) makeStore(paths);
  tighten('store', root, statOf(root));
  makeRuntime(runtime);
  return paths;
}

/** The layout of a store, without touching the disk. */
export function pathsOf(root: string, runtime: string): Paths {
  const [images, layers, containers] = ['images', 'layers', 'containers'].map(d => join(root, d)) as [
    string,
    string,
    string,
  ];
  const [volumes, networks, tmp] = ['volumes', 'networks', 'tmp'].map(d => join(root, d)) as [
    string,
    string,
    string,
  ];
  return { root, images, layers, containers, volumes, networks, tmp, runtime };
}

export function defaultRoot(): string {
  // A container of root runs as other ids, which must be able to reach the store: /root is closed to them.
  if (ourUid() === 0) return '/var/lib/tsbox';
  const data = absoluteEnvironment('XDG_DATA_HOME');
  return data ? join(data, 'tsbox') : join(homeDirectory(), '.local/share/tsbox');
}

function defaultRuntime(): string {
  if (ourUid() === 0) return '/run/tsbox';
  const runtime = absoluteEnvironment('XDG_RUNTIME_DIR');
  // After `su`, the variable still names the directory of somebody else.
  if (runtime && statOf(runtime)?.uid === ourUid()) return join(runtime, 'tsbox');
  return `/tmp/tsbox-${ourUid()}`;
}

/** Where things are kept that can be made again. */
export function cacheDirectory(): string {
  if (ourUid() === 0) return '/var/cache/tsbox';
  return join(absoluteEnvironment('XDG_CACHE_HOME') ?? join(homeDirectory(), '.cache'), 'tsbox');
}

/** The XDG base directory specification says that a relative path there is to be ignored. */
export function absoluteEnvironment(name: string): string | undefined {
  const value = environment(name);
  return value?.startsWith('/') ? value : undefined;
}

function readFormat(root: string): string | undefined {
  try {
    return readFileSync(join(root, 'version'), 'utf8').trim();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new TsboxError('IO', `the store ${root} cannot be read: ${messageOf(error)}`, {
      cause: error,
      hint: 'choose another store with --root or TSBOX_ROOT',
    });
  }
}

/** Setuid files of an image must be out of reach of other users (CVE-2021-41091), so the store's door stays closed. */
function tighten(what: string, path: string, stat: Stats | undefined): void {
  if (!stat || (stat.mode & 0o077) === 0) return;
  if (ourUid() !== 0 && stat.uid !== ourUid()) {
    throw new TsboxError('IO', `the ${what} directory ${path} belongs to uid ${stat.uid}, not to you`, {
      hint: 'choose another one: --root or TSBOX_ROOT for the store, TSBOX_RUNTIME_DIR for the runtime directory',
    });
  }
  chmodSync(path, 0o700);
}

/** The parent may be /tmp, where anybody can plant a directory or a link under our name: nothing is followed or trusted. */
function makeRuntime(path: string): void {
  const found = lstatOf(path);
  if (!found) {
    try {
      makeDirectories(path, 0o700);
    } catch (error) {
      throw new TsboxError('IO', `the runtime directory ${path} cannot be made: ${messageOf(error)}`, {
        cause: error,
        hint: 'set TSBOX_RUNTIME_DIR to a directory of yours on a local file system',
      });
    }
  }
  const stat = found ?? lstatOf(path);
  if (!stat?.isDirectory() || stat.uid !== ourUid()) {
    throw new TsboxError('IO', `the runtime directory ${path} is not a directory of yours`, {
      hint: 'remove it, or set TSBOX_RUNTIME_DIR to a directory of yours',
    });
  }
  tighten('runtime', path, stat);
}

const statOf = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false });
const lstatOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });
