import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BuildOutput } from '../build/types.ts';
import { TsboxError } from '../errors.ts';
import { TAR_END } from '../layer/tar-writer.ts';
import { bytesOf } from './build-layer.ts';
import { pickFromLayers } from './build-pick.ts';
import type { BuildSession, StageResult } from './build-session.ts';
import { extractTo } from './copy-host.ts';
import { save } from './save.ts';

type Session = Pick<BuildSession, 'engine' | 'options' | 'cache'>;

/** True for an output that is an image of the store, or made from one. */
export const needsImage = ({ type }: BuildOutput): boolean => type !== 'local' && type !== 'tar';

/** Writes a result elsewhere than into the store. `id`: of the image, for the archives. Throws USAGE, IO. */
export async function writeOutput(
  session: Session,
  output: BuildOutput,
  result: StageResult,
  image: { readonly id: string; readonly names: readonly string[] } | undefined,
): Promise<void> {
  const { type, dest } = output;
  if (type === 'image') return;
  if (dest === undefined) throw new TsboxError('USAGE', `--output type=${type} needs dest=`);
  if (type === 'local') return writeDirectory(session, result, dest);
  if (type === 'tar') return writeTar(session, result, dest);
  const format = type === 'oci' ? 'oci-archive' : 'docker-archive';
  const references = image && image.names.length > 0 ? image.names : [image?.id ?? ''];
  await save(session.engine, references, dest, { format });
}

/** All files of the result, as the image has them. */
async function* filesOf(session: Session, { layers }: StageResult): AsyncGenerator<Buffer> {
  const selection = { sources: ['/'], exclude: [], parents: false };
  const pick = await pickFromLayers(session, layers, selection);
  try {
    yield* await pick.pieces({ path: '', intoDirectory: true, exists: true });
    yield TAR_END;
  } finally {
    await pick.close();
  }
}

async function writeTar(
  session: Session,
  result: StageResult,
  dest: string | NodeJS.WritableStream,
): Promise<void> {
  const stream = typeof dest === 'string' ? createWriteStream(dest, { mode: 0o600 }) : dest;
  await pipeline(Readable.from(copied(filesOf(session, result))), stream, { end: typeof dest === 'string' });
}

/** A piece is valid until the next one is asked for, and streams hold on to theirs. */
async function* copied(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) yield Buffer.from(piece);
}

/** As files of the caller. */
async function writeDirectory(
  session: Session,
  result: StageResult,
  dest: string | NodeJS.WritableStream,
): Promise<void> {
  if (typeof dest !== 'string') throw new TsboxError('USAGE', '--output type=local needs a directory');
  const path = resolve(dest);
  await mkdir(path, { recursive: true });
  const found = { base: bytesOf('.'), isDirectory: true };
  const target = { path: `${path}/.`, exists: true, isDirectory: true };
  await extractTo(target, found, filesOf(session, result), false);
}
