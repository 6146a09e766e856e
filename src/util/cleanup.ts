/**
 * Undo steps, pushed as each step is taken and run in reverse when the whole fails. Every undo is tried; the first error
 * that an undo throws is given to `onError` and never hides the error that made us undo.
 */
export class Cleanup {
  readonly #steps: Array<() => unknown> = [];

  /** Adds an undo; the last one added is run first. */
  push(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** The work is done: nothing is to be undone any more. */
  dismiss(): void {
    this.#steps.length = 0;
  }

  async run(onError: (error: unknown) => void = () => {}): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        onError(error);
      }
    }
  }
}

/** Runs `work` with a Cleanup that is dismissed on success and run on failure. */
export async function withCleanup<T>(work: (cleanup: Cleanup) => Promise<T>): Promise<T> {
  const cleanup = new Cleanup();
  try {
    const result = await work(cleanup);
    cleanup.dismiss();
    return result;
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}
