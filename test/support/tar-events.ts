import type { TarEntry } from '../../src/layer/entry.ts';
import { TarReader } from '../../src/layer/tar-reader.ts';

export interface ReadResult {
  readonly entry: TarEntry;
  /** The file's content, holes filled with zeros; absent for files too big to hold. */
  readonly content: Buffer;
}

/** Reads a whole archive, pushed in pieces of `step` bytes. */
export function readTar(archive: Buffer, step = archive.length || 1): ReadResult[] {
  const results: Array<{ entry: TarEntry; content: Buffer }> = [];
  let open: { entry: TarEntry; content: Buffer } | undefined;
  const reader = new TarReader({
    entry(entry) {
      if (open) throw new Error('an entry before the end of the last');
      open = { entry, content: Buffer.alloc(entry.size < 1e6 ? entry.size : 0) };
    },
    data(piece, offset) {
      if (!open) throw new Error('data outside of an entry');
      piece.copy(open.content, offset);
    },
    end() {
      if (!open) throw new Error('an end without an entry');
      results.push(open);
      open = undefined;
    },
  });
  for (let at = 0; at < archive.length; at += step) reader.push(archive.subarray(at, at + step));
  reader.finish();
  if (open) throw new Error('an entry without an end');
  return results;
}

export const namesOf = (archive: Buffer, step?: number): string[] =>
  readTar(archive, step).map(r => r.entry.name);
