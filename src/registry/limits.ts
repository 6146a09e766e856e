/** How patient a client is. Times in milliseconds. */
export interface NetworkLimits {
  /** Until TCP and TLS stand. */
  readonly connect: number;
  /** From the request to the response's headers. */
  readonly headers: number;
  /** Between two pieces of a body. */
  readonly idle: number;
  /** Bytes per second that a body has to reach, on average over `rateWindow` of waiting for it. */
  readonly minRate: number;
  readonly rateWindow: number;
  /** Tries in a row without noticeable progress. */
  readonly attempts: number;
  /** Before the second try; doubles with each further one. */
  readonly backoff: number;
  /** The longest `Retry-After` that is waited for; a longer one ends the work and is told. */
  readonly maxWait: number;
}

export const DEFAULT_LIMITS: NetworkLimits = {
  connect: 15_000,
  headers: 60_000,
  idle: 30_000,
  minRate: 1024,
  rateWindow: 30_000,
  attempts: 5,
  backoff: 500,
  maxWait: 90_000,
};

/**
 * Tells when a body comes too slowly. Only the time that we wait for the network counts, so a slow disk on our side is
 * never blamed on the registry.
 */
export class RateGuard {
  readonly #limits: NetworkLimits;
  #waited = 0;
  #bytes = 0;

  constructor(limits: NetworkLimits) {
    this.#limits = limits;
  }

  /** `bytes` came after waiting `ms`. False: the last window was too slow. */
  accept(bytes: number, ms: number): boolean {
    this.#waited += ms;
    this.#bytes += bytes;
    if (this.#waited < this.#limits.rateWindow) return true;
    const enough = this.#bytes >= (this.#limits.minRate * this.#waited) / 1000;
    this.#waited = 0;
    this.#bytes = 0;
    return enough;
  }
}
