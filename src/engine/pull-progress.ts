import type { ProgressEvent } from '../log.ts';
import { shortDigest } from '../oci/digest.ts';

const EVERY_MS = 100;

/** Tells about one layer in docker's words; byte counts at most ten times a second. */
export class LayerProgress {
  readonly #id: string;
  readonly #emit: (event: ProgressEvent) => void;
  #last = 0;

  constructor(digest: string, emit: (event: ProgressEvent) => void) {
    this.#id = shortDigest(digest);
    this.#emit = emit;
  }

  say(status: string): void {
    this.#emit({ id: this.#id, status });
  }

  /** `current` of `total` bytes. */
  count(status: string, current: number, total: number): void {
    const now = performance.now();
    if (now - this.#last < EVERY_MS && current < total) return;
    this.#last = now;
    this.#emit({ id: this.#id, status, current, total });
  }
}
