import { TsboxError } from '../errors.ts';
import { renameContainer } from '../store/containers-change.ts';
import type { Engine } from './context.ts';
import { find } from './find.ts';
import { containerEvent } from './record-event.ts';

/** Docker's rename, of one that runs as well; its host name stays. USAGE for a malformed name, CONFLICT for a taken one. */
export async function rename(engine: Engine, nameOrId: string, to: string): Promise<void> {
  const { record } = await find(engine, nameOrId);
  const name = to.replace(/^\//, '');
  if (name === record.name) {
    throw new TsboxError('CONFLICT', `container ${record.name} has that name already`, { exitCode: 1 });
  }
  const renamed = await renameContainer(engine.paths, record.id, name);
  containerEvent(engine, renamed, 'rename', { oldName: `/${record.name}` });
}
