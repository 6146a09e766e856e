import { holdForRestart } from '../store/containers-hold.ts';
import type { Engine } from './context.ts';
import { find } from './find.ts';
import { containerEvent } from './record-event.ts';
import { start } from './start.ts';
import { stop } from './stop.ts';
import type { StopOptions } from './types.ts';

/** Docker's restart: stop, if it runs, then start, which lets its restart policy count from the beginning. One with `--rm` stays. */
export async function restart(engine: Engine, nameOrId: string, options: StopOptions = {}): Promise<void> {
  const { record } = await find(engine, nameOrId);
  const letGo = await holdForRestart(engine.paths, record.id);
  try {
    await stop(engine, record.id, options);
    await start(engine, record.id);
  } finally {
    await letGo();
  }
  containerEvent(engine, record, 'restart');
}
