import { constants, createReadStream } from 'node:fs';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { access } from '../util/files.ts';
import type { CliContext } from './context.ts';

/** An archive given by name, or stdin for none and for `-`. Refuses to read an archive from a terminal. */
export async function openInput(
  file: string | undefined,
  context: Pick<CliContext, 'stdin' | 'isTerminal'>,
): Promise<NodeJS.ReadableStream> {
  if (file !== undefined && file !== '-') return openFile(file);
  if (await context.isTerminal(0)) {
    throw new TsboxError('USAGE', 'stdin is a terminal, not an archive', {
      hint: 'redirect it (< image.tar) or name the file',
    });
  }
  return context.stdin;
}

async function openFile(file: string): Promise<NodeJS.ReadableStream> {
  try {
    await access(file, constants.R_OK);
  } catch (error) {
    const why = hasErrno(error, 'ENOENT') ? 'there is no such file' : messageOf(error);
    throw new TsboxError('IO', `cannot read ${file}: ${why}`, { cause: error });
  }
  return createReadStream(file, { highWaterMark: 1 << 20 });
}
