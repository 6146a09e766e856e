import { join } from 'node:path';
import type { Engine } from './context.ts';

/** A container's files as its helper names them: relative to the store, which is the helper's working directory. */
export function containerFiles(id: string) {
  const dir = `containers/${id}`;
  return { dir, lock: `${dir}/lock`, state: `${dir}/state.json`, log: `${dir}/log` } as const;
}

/** Sockets of one container. Short, because sun_path holds 108 bytes. */
export function containerRuntimeDir(engine: Engine, id: string): string {
  return join(engine.paths.runtime, id.slice(0, 16));
}

export function attachSocket(engine: Engine, id: string): string {
  return join(containerRuntimeDir(engine, id), 'attach.sock');
}
