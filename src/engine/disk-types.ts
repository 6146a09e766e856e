import type { ContainerSummary, Filters, ImageSummary, VolumeSummary } from './types.ts';

export interface PruneOptions {
  /** Images: also those with a name. Volumes: also those with a name of their own. */
  all?: boolean;
  /** `until` (not for volumes), `label`, `label!`; images also `dangling`. */
  filters?: Filters;
}

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
  readonly images: readonly ImageUsage[];
  /** All unpacked layers, each once. */
  readonly layers: number;
  /** Layers that no image with a container needs. */
  readonly layersReclaimable: number;
  readonly containers: readonly ContainerUsage[];
  readonly volumes: readonly VolumeUsage[];
  /** Manifests, configs and compressed layers as they came from a registry or an archive. */
  readonly blobs: BlobUsage;
}

export interface ImageUsage extends ImageSummary {
  /** Of its layers, what other images use as well. */
  readonly sharedSize: number;
  readonly uniqueSize: number;
  /** How many were made from it. */
  readonly containers: number;
}

export interface ContainerUsage extends ContainerSummary {
  /** What it has written. */
  readonly size: number;
}

export interface VolumeUsage extends VolumeSummary {
  /** How many containers mount it. */
  readonly links: number;
  readonly size: number;
}

export interface BlobUsage {
  readonly count: number;
  readonly size: number;
  /** Needed by an image. */
  readonly active: number;
  /** Bytes of the others. */
  readonly reclaimable: number;
}

export interface CheckOptions {
  /** Also compare all content with its digests: reads everything. */
  full?: boolean;
  /** Default true. */
  repair?: boolean;
}

/** One thing that is wrong with the store. */
export interface Finding {
  readonly area: 'image' | 'blob' | 'layer' | 'container' | 'name' | 'volume' | 'leftover' | 'store';
  /** Id, name or path. */
  readonly what: string;
  readonly problem: string;
  /** What was done about it, or has to be. */
  readonly remedy: string;
  /** False: it has to be done by hand. */
  readonly mendable: boolean;
  readonly repaired: boolean;
}
