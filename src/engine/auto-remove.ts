import { TsboxError } from '../errors.ts';
import { isHeldForRestart } from '../store/containers-hold.ts';
import type { Engine } from './context.ts';
import { remove } from './remove.ts';

/**
 * What `--rm` asks for at the end of a container: its removal with its anonymous volumes, unless a `restart` is about to start it again. Somebody else may
 * be removing it at the same time. `ended`: the caller has just seen it end. Throws IO.
 */
export async function autoRemove(engine: Engine, id: string, ended = false): Promise<void> {
  if (isHeldForRestart(engine.paths, id)) return;
  try {
    await remove(engine, id, { force: true, volumes: true, ended });
  } catch (error) {
    if (!(error instanceof TsboxError && error.code === 'NOT_FOUND')) throw error;
  }
}
