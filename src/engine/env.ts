import { TsboxError } from '../errors.ts';
import type { CreateOptions } from './types.ts';

/** The PATH of an image that sets none; docker's. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface EnvInput {
  readonly image: readonly string[];
  readonly options: Pick<CreateOptions, 'env' | 'callerEnv' | 'tty'>;
  readonly hostname: string;
}

/** PATH, HOSTNAME and TERM, then the image's, then -e: the later one wins and keeps the first one's place. */
export function mergeEnv({ image, options, hostname }: EnvInput): string[] {
  const entries = new Map<string, string>([
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', hostname],
    ...(options.tty ? [['TERM', 'xterm'] as const] : []),
  ]);
  for (const entry of image) entries.set(...split(entry));
  return addEnv(entries, options.env ?? [], options.callerEnv ?? {});
}

/** What `exec -e` adds to the container's own environment. */
export function extendEnv(base: readonly string[], env: readonly string[], caller: EnvSource): string[] {
  return addEnv(new Map(base.map(split)), env, caller);
}

type EnvSource = Readonly<Record<string, string | undefined>>;

function addEnv(entries: Map<string, string>, env: readonly string[], caller: EnvSource): string[] {
  for (const entry of env) {
    if (entry.includes('\0')) throw new TsboxError('USAGE', 'an environment variable holds a NUL byte');
    if (entry === '' || entry.startsWith('=')) {
      throw new TsboxError('USAGE', `environment variable ${JSON.stringify(entry)} has no name`, {
        hint: '-e NAME=value',
      });
    }
    if (entry.includes('=')) entries.set(...split(entry));
    else if (caller[entry] !== undefined) entries.set(entry, caller[entry]);
    else entries.delete(entry);
  }
  return [...entries].map(([name, value]) => `${name}=${value}`);
}

function split(entry: string): [name: string, value: string] {
  const at = entry.indexOf('=');
  return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
}
