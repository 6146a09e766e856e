import type { ContainerSummary, Filters, ImageSummary, VolumeSummary } from './types.ts';

/** What the prunes of images, containers, volumes, networks and builds take. */
export interface PruneOptions {
  /** Images: also those with a name. Volumes: also those with a name of their own. */
  all?: boolean;
  /** `until` (not for volumes), `label`, `label!`; images also `dangling`. */
  filters?: Filters;
}

/** What a prune removed. */
export interface Pruned {
  /** Names of images that went. */
  readonly untagged: readonly string[];
  /** Ids of containers, of images and layers, or names of volumes. */
  readonly deleted: readonly string[];
  /** Bytes. */
  readonly reclaimed: number;
}

/** What the store takes on disk. Sizes are bytes of files. */
export interface DiskUsage {
  /** Each image, by its layers. */
  readonly images: readonly ImageUsage[];
  /** All unpacked layers, each once. */
  readonly layers: number;
  /** Layers that no image with a container needs. */
  readonly layersReclaimable: number;
  /** Each container, by what it has written. */
  readonly containers: readonly ContainerUsage[];
  /** Each volume. */
  readonly volumes: readonly VolumeUsage[];
  /** Manifests, configs and compressed layers as they came from a registry or an archive. */
  readonly blobs: BlobUsage;
}

/** What an image takes. */
export interface ImageUsage extends ImageSummary {
  /** Of its layers, what other images use as well. */
  readonly sharedSize: number;
  /** Bytes of layers that no other image uses. */
  readonly uniqueSize: number;
  /** How many were made from it. */
  readonly containers: number;
}

/** What a container takes. */
export interface ContainerUsage extends ContainerSummary {
  /** What it has written. */
  readonly size: number;
}

/** What a volume takes. */
export interface VolumeUsage extends VolumeSummary {
  /** How many containers mount it. */
  readonly links: number;
  /** Bytes of its files. */
  readonly size: number;
}

/** What manifests, configs and compressed layers take. */
export interface BlobUsage {
  /** How many. */
  readonly count: number;
  /** Bytes of all. */
  readonly size: number;
  /** Needed by an image. */
  readonly active: number;
  /** Bytes of the others. */
  readonly reclaimable: number;
}

/** Options of {@link Tsbox.check}. */
export interface CheckOptions {
  /** Also compare all content with its digests: reads everything. */
  full?: boolean;
  /** Default true. */
  repair?: boolean;
}

/** One thing that is wrong with the store. */
export interface Finding {
  /** What it is about. */
  readonly area: 'image' | 'blob' | 'layer' | 'container' | 'name' | 'volume' | 'leftover' | 'store';
  /** Id, name or path. */
  readonly what: string;
  /** One sentence. */
  readonly problem: string;
  /** What was done about it, or has to be. */
  readonly remedy: string;
  /** False: it has to be done by hand. */
  readonly mendable: boolean;
  /** Done. */
  readonly repaired: boolean;
}
