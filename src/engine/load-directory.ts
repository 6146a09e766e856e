import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { posix } from 'node:path';
import { hasErrno, TsboxError } from '../errors.ts';
import { ioError } from '../store/atomic.ts';
import type { BlobDescriptor } from '../store/blobs.ts';
import { type ArchiveFiles, type OpenWriter, tooLarge } from './load-archive.ts';

/** A directory that holds an OCI layout. */
export class DirectoryFiles implements ArchiveFiles {
  readonly #root: string;
  readonly #openWriter: OpenWriter;

  constructor(root: string, openWriter: OpenWriter) {
    this.#root = root;
    this.#openWriter = openWriter;
  }

  async read(name: string, maxBytes: number): Promise<Buffer | undefined> {
    return this.#withFile(name, async (file, size) => {
      if (size > maxBytes) throw tooLarge(name, maxBytes);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
      return buffer.subarray(0, bytesRead);
    });
  }

  store(name: string, diffId?: string): Promise<BlobDescriptor | undefined> {
    return this.#withFile(name, async (file, size) => {
      const writer = await this.#openWriter({ name, size, diffId });
      try {
        for await (const chunk of file.createReadStream({ highWaterMark: 1 << 20, autoClose: false }))
          await writer.write(chunk as Buffer);
        return await writer.commit();
      } finally {
        await writer.abort();
      }
    });
  }

  /** Opened without waiting for the other end of a FIFO, and read only when it is a file of a known size: /dev/zero has no end. */
  async #withFile<T>(
    name: string,
    use: (file: FileHandle, size: number) => Promise<T>,
  ): Promise<T | undefined> {
    const path = this.#path(name);
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw ioError(error, `cannot read ${path}`);
    });
    if (!file) return undefined;
    try {
      const status = await file.stat();
      if (!status.isFile())
        throw new TsboxError('MANIFEST', `${JSON.stringify(name)} of the layout is no regular file`);
      return await use(file, status.size);
    } catch (error) {
      throw ioError(error, `cannot read ${path}`);
    } finally {
      await file.close();
    }
  }

  /** Documents of the layout name blobs by digest only, which cannot climb; anything else is refused here. */
  #path(name: string): string {
    if (posix.normalize(name) !== name || name.startsWith('/') || name.startsWith('..')) {
      throw new TsboxError('MANIFEST', `${JSON.stringify(name)} is not a file of the layout`);
    }
    return posix.join(this.#root, name);
  }
}
