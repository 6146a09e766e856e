import { newId } from '../store/atomic.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { reserveContainer } from '../store/containers.ts';
import type { EndpointRecord } from '../store/network-record.ts';
import { withCleanup } from '../util/cleanup.ts';
import type { Engine } from './context.ts';
import { createRecord } from './create.ts';
import { ensureVolumes } from './create-volumes.ts';
import { prepareStorage } from './rootfs.ts';
import { Sandbox } from './sandbox.ts';
import { launchSandbox } from './sandbox-launch.ts';
import type { SharedLayer } from './sandbox-layer.ts';
import type { SandboxOptions } from './sandbox-types.ts';

/** Shown by ps as the command; nothing executes it. */
const SHOWN = ['(sandbox)'];

/** Makes a warm container; nothing of it is left when that fails. */
export function sandbox(engine: Engine, options: SandboxOptions): Promise<Sandbox> {
  const { newPrivileges = false, ...create } = options;
  return withCleanup(async cleanup => {
    const record = await createRecord(
      engine,
      {
        ...create,
        network: options.network ?? 'none',
        securityOpt: [...(newPrivileges ? [] : ['no-new-privileges']), ...(options.securityOpt ?? [])],
        entrypoint: [],
        command: SHOWN,
        autoRemove: true,
        health: { none: true },
        logDriver: 'none',
      },
      cleanup,
      { transient: true },
    );
    return new Sandbox({
      engine,
      record,
      running: await launchSandbox(engine, record),
      layers: [],
      like: sandboxLike,
    });
  });
}

/** Makes one more like `from`, on these layers: its files, none of its processes, ports, addresses and anonymous volumes. */
async function sandboxLike(
  engine: Engine,
  from: ContainerRecord,
  layers: readonly SharedLayer[],
): Promise<Sandbox> {
  // Held until the new one holds them itself.
  const releases = layers.map(layer => layer.hold());
  try {
    return await withCleanup(async cleanup => {
      const record = await reserveContainer(engine.paths, likeness(from, layers), { transient: true });
      cleanup.push(async () => {
        await (await import('./remove.ts')).remove(engine, record.id, { force: true, volumes: true });
      });
      await ensureVolumes(engine, record, cleanup);
      await prepareStorage(engine, record);
      const running = await launchSandbox(engine, record);
      return new Sandbox({ engine, record, running, layers, like: sandboxLike });
    });
  } finally {
    for (const release of releases) await release();
  }
}

function likeness(from: ContainerRecord, layers: readonly SharedLayer[]): ContainerRecord {
  const id = newId();
  const own = new Set(layers.map(layer => layer.diffId));
  const base = from.image.layers.filter(diffId => !own.has(diffId));
  return {
    ...from,
    id,
    name: '',
    created: new Date().toISOString(),
    hostname: from.hostname === from.id.slice(0, 12) ? id.slice(0, 12) : from.hostname,
    image: { ...from.image, layers: [...base, ...layers.map(layer => layer.diffId)] },
    network: { ...from.network, ports: [], ...(from.network.networks && { networks: addressless(from) }) },
    mounts: from.mounts.map(m => (m.anonymous ? { ...m, source: newId() } : m)),
  };
}

/** Two cannot have the same address. */
const addressless = ({ network }: ContainerRecord): EndpointRecord[] =>
  (network.networks ?? []).map(({ network: name, aliases }) => ({
    network: name,
    ...(aliases && { aliases }),
  }));
