import type { Filters } from './types.ts';

/** Which images to list. */
export interface ImagesOptions {
  /** Nothing is hidden here (there are no intermediate images); accepted for docker's sake. */
  all?: boolean;
  /** `reference`, `dangling`, `label`, `before`, `since`, `until`. Default: all. */
  filters?: Filters;
  /** Only this repository, or this name with its tag. */
  reference?: string;
}

/** An image, as `images` shows it. */
export interface ImageSummary {
  /** `sha256:…` of the config. */
  readonly id: string;
  /** `repository:tag` names; empty for a dangling image. */
  readonly names: readonly string[];
  /** `repository@sha256:…`. */
  readonly digests: readonly string[];
  /** RFC 3339. */
  readonly created: string;
  /** Bytes of the unpacked layers. */
  readonly size: number;
  /** Of its config. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Options of {@link Tsbox.load}. */
export interface LoadOptions {
  /** `os/arch[/variant]`: which image of an index; default: this machine's. */
  readonly platform?: string;
}

/** Options of {@link Tsbox.save}. */
export interface SaveOptions {
  /** Default: `docker-archive`, which is an OCI archive as well. */
  readonly format?: 'docker-archive' | 'oci-archive' | 'oci-dir';
  /** `os/arch[/variant]` that the images must be for. */
  readonly platform?: string;
}

/** Options of {@link Tsbox.import}. */
export interface ImportOptions {
  /** Comment in the image's history. */
  readonly message?: string;
  /** Dockerfile instructions: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR. */
  readonly changes?: readonly string[];
  /** `os/arch[/variant]` that the image is for; default: this machine's. */
  readonly platform?: string;
}

/** What became of an image that was to be removed. */
export interface RemovedImage {
  /** Names that went. */
  readonly untagged: readonly string[];
  /** Ids of the image and its layers, when the last name went. */
  readonly deleted: readonly string[];
}

/** A volume. */
export interface VolumeSummary {
  /** Its name; of an anonymous one 64 hexadecimal digits. */
  readonly name: string;
  /** Absolute path of its directory on this machine. */
  readonly mountpoint: string;
  /** RFC 3339. */
  readonly created: string;
  /** As it was made with. */
  readonly labels: Readonly<Record<string, string>>;
  /** It has no name that somebody chose. */
  readonly anonymous: boolean;
}
