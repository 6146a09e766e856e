import type { Readable } from 'node:stream';
import { TsboxError } from '../errors.ts';
import type { BuildReply } from '../layer/build-tasks.ts';
import { linesOf } from '../util/lines.ts';

export interface BuildSpeaker {
  /** Where its replies come: lines of JSON. */
  readonly replies: Readable | null;
  /** Its status, perhaps before its last reply has been read; rejects when it could not be started. */
  readonly gone: Promise<number>;
  /** What it printed so far. */
  readonly noise: () => string;
  readonly signal?: AbortSignal | undefined;
}

/** Gives one reply for each call. Throws what the task did, ABORTED, and INTERNAL when the process ended without a word. */
export function repliesOf({ replies, gone, noise, signal }: BuildSpeaker): <T>() => Promise<T> {
  const lines = linesOf(replies);
  // One that has never been started may leave its pipes open.
  const failed = gone.then(() => new Promise<never>(() => {}));
  failed.catch(() => {});
  return async <T>() => {
    const line = await Promise.race([lines(), failed]);
    if (signal?.aborted) throw new TsboxError('ABORTED', 'cancelled', { cause: signal.reason });
    if (line !== undefined) return contentOf<T>(JSON.parse(line) as BuildReply<T>);
    const status = await gone;
    const said = noise();
    throw new TsboxError(
      'INTERNAL',
      `the process of a build ended with status ${status}${said && `: ${said}`}`,
    );
  };
}

function contentOf<T>(reply: BuildReply<T>): T {
  if ('ok' in reply) return reply.ok;
  throw new TsboxError(reply.error.code, reply.error.message, reply.error);
}
