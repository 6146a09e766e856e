import { listContainerRecords } from '../store/containers.ts';
import { LayerStore } from '../store/layers.ts';
import { containerSizes } from './container-sizes.ts';
import type { Engine } from './context.ts';
import type { BlobUsage, ContainerUsage, DiskUsage, ImageUsage, VolumeUsage } from './disk-types.ts';
import { imageStore } from './find-image.ts';
import { summarizeImage } from './images.ts';
import { ps } from './ps.ts';
import { treeSizes } from './tree-sizes.ts';
import { listVolumes } from './volumes.ts';

/** docker system df: what the store takes on disk. Reads the trees of containers and volumes; layers know their size. */
export async function diskUsage(engine: Engine): Promise<DiskUsage> {
  const [layers, containers, volumes, blobs] = await Promise.all([
    layerUsage(engine),
    containerUsage(engine),
    volumeUsage(engine),
    blobUsage(engine),
  ]);
  return { ...layers, containers, volumes, blobs };
}

type LayerUsage = Pick<DiskUsage, 'images' | 'layers' | 'layersReclaimable'>;

async function layerUsage(engine: Engine): Promise<LayerUsage> {
  const store = new LayerStore(engine.paths.layers);
  const sizes = new Map<string, number>();
  for (const id of await store.list()) sizes.set(id, await store.size([id]).catch(() => 0));
  const records = await imageStore(engine).list();
  const containers = await listContainerRecords(engine.paths);
  const needed = new Set(containers.flatMap(({ image }) => image.layers));
  const counts = new Map<string, number>();
  for (const id of records.flatMap(r => [...new Set(r.layers)])) counts.set(id, (counts.get(id) ?? 0) + 1);
  const images = records.map((record): ImageUsage => {
    const own = [...new Set(record.layers)];
    const size = sum(own.map(id => sizes.get(id)));
    const sharedSize = sum(own.filter(id => (counts.get(id) ?? 0) > 1).map(id => sizes.get(id)));
    const users = containers.filter(({ image }) => image.id === record.id).length;
    const summary = { ...summarizeImage(record), size };
    return { ...summary, sharedSize, uniqueSize: size - sharedSize, containers: users };
  });
  const unneeded = [...sizes].filter(([id]) => !needed.has(id)).map(([, size]) => size);
  return { images, layers: sum([...sizes.values()]), layersReclaimable: sum(unneeded) };
}

async function containerUsage(engine: Engine): Promise<ContainerUsage[]> {
  const all = await ps(engine, { all: true });
  const sizes = await containerSizes(
    engine,
    all.map(({ id }) => id),
  );
  return all.map((container, i) => ({ ...container, size: sizes[i] ?? 0 }));
}

async function volumeUsage(engine: Engine): Promise<VolumeUsage[]> {
  const volumes = await listVolumes(engine);
  const mounts = (await listContainerRecords(engine.paths)).map(record => record.mounts);
  const sizes = await treeSizes(
    engine,
    volumes.map(({ mountpoint }) => mountpoint.slice(engine.paths.root.length + 1)),
  );
  return volumes.map((volume, i) => {
    const links = mounts.filter(all => all.some(m => m.type === 'volume' && m.source === volume.name));
    return { ...volume, links: links.length, size: sizes[i] ?? 0 };
  });
}

async function blobUsage(engine: Engine): Promise<BlobUsage> {
  const images = imageStore(engine);
  const used = await images.referenced().catch(() => undefined);
  const digests = await images.blobs.list();
  const sizes = await Promise.all(digests.map(digest => images.blobs.size(digest)));
  const isUsed = digests.map(digest => used?.has(digest) ?? true);
  return {
    count: digests.length,
    size: sum(sizes),
    active: isUsed.filter(Boolean).length,
    reclaimable: sum(sizes.filter((_, i) => !isUsed[i])),
  };
}

const sum = (numbers: readonly (number | undefined)[]): number =>
  numbers.reduce<number>((n, m) => n + (m ?? 0), 0);
