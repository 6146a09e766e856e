import type { ContainerRecord } from '../store/container-record.ts';
import type { Cleanup } from '../util/cleanup.ts';
import type { Engine } from './context.ts';
import { volumeEvent } from './record-event.ts';

/** Makes the volumes that a container names and that do not exist yet. */
export async function ensureVolumes(
  engine: Engine,
  record: ContainerRecord,
  cleanup: Cleanup,
): Promise<void> {
  const wanted = record.mounts.filter(m => m.type === 'volume');
  if (wanted.length === 0) return;
  const { ensureVolume } = await import('../store/volumes.ts');
  const fresh = new Set<string>();
  for (const { source, anonymous } of wanted) {
    const made = await ensureVolume(engine.paths, source, { anonymous });
    if (!made) continue;
    volumeEvent(engine, 'create', source);
    if (anonymous) fresh.add(source);
    cleanup.push(async () => (await import('./volumes.ts')).dropUnused(engine, source, record.id));
  }
  await (await import('./volumes-copy-up.ts')).copyUp(engine, record, fresh);
}
