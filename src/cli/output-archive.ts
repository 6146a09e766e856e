import { Writable } from 'node:stream';
import { TsboxError } from '../errors.ts';
import type { CliContext } from './context.ts';

/** Where an archive goes: a file by its name, or stdout for none and for `-`. Refuses to write one to a terminal. */
export async function archiveOutput(
  file: string | undefined,
  { out, isTerminal }: Pick<CliContext, 'out' | 'isTerminal'>,
): Promise<string | Writable> {
  if (file !== undefined && file !== '-') return file;
  if (await isTerminal(1)) {
    throw new TsboxError('USAGE', 'stdout is a terminal, no place for an archive', {
      hint: 'redirect it (> root.tar) or pipe it to tar',
    });
  }
  return new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      try {
        out.write(chunk);
      } catch (error) {
        done(error as Error);
        return;
      }
      out.flush().then(() => done(), done);
    },
  });
}
