/** One line of `diff`: A (added), C (changed) or D (deleted), and the absolute path in the container. */
export interface FileChange {
  /** Added, changed, deleted. */
  readonly kind: 'A' | 'C' | 'D';
  /** Absolute, inside. */
  readonly path: string;
}

/** Options of {@link Tsbox.commit}. */
export interface CommitOptions {
  /** Name of the new image; absent: it has none. */
  reference?: string;
  /** Who; in the image's history. Default: nobody. */
  author?: string;
  /** What; in the image's history. Default: nothing. */
  message?: string;
  /** Dockerfile instructions that change the config: `CMD ["sh"]`, `ENV A=1` … */
  changes?: readonly string[];
  /** Stop the container's processes meanwhile. Default true. */
  pause?: boolean;
}

/** One step of how an image was made, the newest first. */
export interface ImageHistoryEntry {
  /** `sha256:…` for the newest, `<missing>` for the others. */
  readonly id: string;
  /** RFC 3339; undefined when the image does not say. */
  readonly created: string | undefined;
  /** The instruction or command. */
  readonly createdBy: string;
  /** Bytes of the unpacked layer; 0 for a step that made none. */
  readonly size: number;
  /** Empty where there is none. */
  readonly comment: string;
  /** Names of the image, for the newest. */
  readonly tags: readonly string[];
}
