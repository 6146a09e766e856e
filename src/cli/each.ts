import type { CliContext } from './context.ts';
import { ReportedFailure, reportOne } from './failure.ts';

/** How many names are worked on at a time: stopping waits, removing computes. */
const AT_ONCE = 16;

/**
 * Does one thing for each of several names: many at a time, results and errors in the order of the names. An error does
 * not hold back the others; with any, the command's status is docker's 1.
 */
export async function forEachName<T>(
  context: Pick<CliContext, 'err' | 'globals'>,
  names: readonly string[],
  work: (name: string) => Promise<T>,
  done: (result: T, name: string) => unknown = () => {},
): Promise<void> {
  const started: Promise<T>[] = [];
  const start = (name: string): void => {
    const running = work(name);
    // Looked at in turn below; until then a rejection is not unhandled.
    running.catch(() => {});
    started.push(running);
  };
  names.slice(0, AT_ONCE).forEach(start);
  let failed = false;
  for (const [i, name] of names.entries()) {
    try {
      done((await started[i]) as T, name);
    } catch (error) {
      reportOne(error, context);
      failed = true;
    }
    const next = names[i + AT_ONCE];
    if (next !== undefined) start(next);
  }
  if (failed) throw new ReportedFailure();
}
