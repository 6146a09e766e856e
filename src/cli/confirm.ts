import { createInterface } from 'node:readline';
import type { CliContext } from './context.ts';

/** Asks as docker does: only `y` or `Y` is yes; the end of the input is no. */
export async function confirm(
  context: Pick<CliContext, 'out' | 'stdin'>,
  question: string,
): Promise<boolean> {
  context.out.write(`${question} [y/N] `);
  await context.out.flush();
  const lines = createInterface({ input: context.stdin });
  try {
    for await (const line of lines) return line.trim().toLowerCase() === 'y';
    return false;
  } finally {
    lines.close();
  }
}
