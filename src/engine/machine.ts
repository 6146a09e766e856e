import { TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import type { UsernsMaps } from '../host/idmap.ts';
import { ownStore } from '../host/owner.ts';
import type { Op } from '../plan/ops.ts';
import type { Trace } from '../runtime/channel.ts';
import { type EnterHost, enter } from '../runtime/enter.ts';
import type { StorageHost } from '../storage/driver.ts';
import type { Engine } from './context.ts';
import { provenMaps } from './userns-proof.ts';
import { warnOncePerBoot } from './warn-once.ts';

type Want = 'auto' | 'ranges' | 'single' | 'keep-id';

/** The id maps for this user; says once per boot why it is not the mode that a user would want. */
export async function mapsFor(engine: Engine, want: Want): Promise<UsernsMaps> {
  const { maps, warning } = await provenMaps(engine, want);
  if (warning) warnOncePerBoot(engine, warning);
  engine.reporter.debug(
    'host',
    () =>
      `user namespace mode ${maps.mode}: ${maps.uid.map(l => `${l.inside}→${l.outside}×${l.count}`).join(' ')}`,
  );
  ownStore(engine.paths, maps);
  return maps;
}

/** Where tasks of the store run: the maps that the files of the store are owned by, whatever a container uses. */
export async function enterHost(engine: Engine): Promise<EnterHost> {
  const maps = await mapsFor(engine, 'auto');
  return { helper: helperPath(), cwd: engine.paths.root, maps, trace: helperTrace(engine) };
}

/** TSBOX_DEBUG=helper. */
export const helperTrace =
  (engine: Engine): Trace =>
  text =>
    engine.reporter.debug('helper', text);

/** What storage drivers probe with. */
export function storageHost(engine: Engine, maps: UsernsMaps): StorageHost {
  const host = { helper: helperPath(), cwd: engine.paths.root, maps, trace: helperTrace(engine) };
  return {
    root: engine.paths.root,
    mode: maps.mode,
    walk: async (ops: readonly Op[]) => {
      const { child, result } = enter(host, ops, { name: 'storage', stdio: ['ignore', 'ignore', 'pipe'] });
      const said: Buffer[] = [];
      child.stderr?.on('data', (chunk: Buffer) => said.push(chunk));
      const status = await result;
      if (status === 0) return;
      const text = Buffer.concat(said).toString().trim();
      throw new TsboxError('STORAGE', text === '' ? `status ${status}` : text);
    },
  };
}
