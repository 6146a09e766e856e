/** The elements of batches one by one. Written by hand: a step inside a batch costs one settled promise and no more. */
export class Flat<T> implements AsyncGenerator<T, void> {
  readonly #batches: AsyncGenerator<readonly T[], void>;
  #batch: readonly T[] = [];
  #at = 0;

  constructor(batches: AsyncGenerator<readonly T[], void>) {
    this.#batches = batches;
  }

  next(): Promise<IteratorResult<T, void>> {
    if (this.#at < this.#batch.length) {
      return Promise.resolve({ done: false, value: this.#batch[this.#at++] as T });
    }
    return this.#refill();
  }

  async #refill(): Promise<IteratorResult<T, void>> {
    for (;;) {
      const { done, value } = await this.#batches.next();
      if (done) return { done, value: undefined };
      if (value.length === 0) continue;
      this.#batch = value;
      this.#at = 1;
      return { done: false, value: value[0] as T };
    }
  }

  async return(): Promise<IteratorResult<T, void>> {
    this.#batch = [];
    await this.#batches.return();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<T, void>> {
    this.#batch = [];
    await this.#batches.throw(error);
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
