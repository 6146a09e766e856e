import { TsboxError } from '../errors.ts';

const aborted = (signal: AbortSignal): TsboxError =>
  new TsboxError('ABORTED', 'the operation was called off', { cause: signal.reason });

/** `work`, or ABORTED as soon as the signal aborts; `stop` makes the work end. What it gives later is lost. */
export async function abortable<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  stop: () => void = () => {},
): Promise<T> {
  if (!signal) return work;
  let onAbort = (): void => {};
  const called = new Promise<never>((_, reject) => {
    onAbort = () => {
      stop();
      reject(aborted(signal));
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  work.catch(() => {}); // nobody may be waiting for it any more
  try {
    return await Promise.race([work, called]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** What a generator gives until the signal aborts; then it ends without an error, and the generator is told to. */
export async function* until<T>(
  source: AsyncGenerator<T, unknown>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void> {
  try {
    while (!signal?.aborted) {
      const next = await abortable(source.next(), signal).catch((error: unknown) => {
        if (signal?.aborted) return undefined;
        throw error;
      });
      if (!next || next.done) return;
      yield next.value;
    }
  } finally {
    // It may stand in the middle of a wait: its end is not waited for.
    void source.return(undefined as never).catch(() => {});
  }
}
