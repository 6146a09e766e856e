import type { Hash } from 'node:crypto';
import { promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno, TsboxError } from '../errors.ts';
import { digestHex, isDigest, sha256 } from '../oci/digest.ts';
import { mkdir, readdir, rename, rm, stat } from '../util/files.ts';
import { newSha256 } from '../util/hash.ts';
import { ioError, touch } from './atomic.ts';
import { type ClaimOptions, withClaim } from './claims.ts';
import { makeHeldFile } from './workdir.ts';

/** What is known of a blob before its bytes arrive. What is given is checked. */
export interface BlobExpectation {
  /** `sha256:<64 hex>`; absent: whatever comes is named by its own digest. */
  readonly digest?: string;
  /** Bytes. One byte more ends the write at once. */
  readonly size?: number;
}

export interface BlobDescriptor {
  readonly digest: string;
  readonly size: number;
}

/**
 * One blob on its way in. The bytes are hashed as they pass and live under a temporary name until `commit`, which checks
 * digest and size, calls fsync(2) and only then gives them their name. After `commit` or `abort` (both may be repeated)
 * nothing temporary is left.
 */
export interface BlobWriter {
  /** Bytes written so far: where an interrupted download goes on. */
  readonly offset: number;
  write(chunk: Uint8Array): Promise<void>;
  /** Throws DIGEST when the content is not what was expected; then nothing is kept. */
  commit(): Promise<BlobDescriptor>;
  /** The temporary file, for a process of ours that writes and hashes the whole content itself, instead of `write`. */
  readonly fd: number;
  /** As `commit`, with what that process has found. Throws DIGEST when the file has another length. */
  commitWritten(found: BlobDescriptor): Promise<BlobDescriptor>;
  abort(): Promise<void>;
}

/** `blobs/sha256` of the image layout. A blob is there under its name if and only if its content was verified. */
export class BlobStore {
  readonly #directory: string;
  readonly #temporary: string;

  /** `imagesDir`: the OCI layout; `tmpDir`: on the same file system. Neither has to exist yet. */
  constructor(imagesDir: string, tmpDir: string) {
    this.#directory = join(imagesDir, 'blobs', 'sha256');
    this.#temporary = tmpDir;
  }

  /** Where the blob is or would be. Throws DIGEST for anything but a lower-case sha256 digest, which is also what keeps paths safe. */
  path(digest: string): string {
    return join(this.#directory, digestHex(digest));
  }

  /**
   * True when the blob is complete and here. Also says that somebody wants it now: a collection that runs beside an adding of
   * images spares what was asked for since (engine/collect.ts).
   */
  async has(digest: string): Promise<boolean> {
    return touch(this.path(digest), `cannot look up blob ${digest}`);
  }

  /** Bytes, or undefined when it is not here. */
  async size(digest: string): Promise<number | undefined> {
    const info = await stat(this.path(digest)).catch((error: unknown) => {
      if (hasErrno(error, 'ENOENT')) return undefined;
      throw ioError(error, `cannot look up blob ${digest}`);
    });
    return info?.size;
  }

  /** The whole blob. Throws NOT_FOUND, or STORE_CORRUPT when it is longer than `maxBytes` or not what its name says. */
  async read(digest: string, maxBytes: number): Promise<Buffer> {
    const bytes = await readBounded(this.path(digest), digest, maxBytes);
    if (sha256(bytes) !== digest) {
      throw new TsboxError('STORE_CORRUPT', `blob ${digest} does not match its digest`, {
        hint: 'pull or load the image again',
      });
    }
    return bytes;
  }

  /** The first bytes of a blob, fewer when it is shorter. Throws NOT_FOUND, IO. */
  async head(digest: string, count: number): Promise<Buffer> {
    const file = await openBlob(this.path(digest), digest);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(count), 0, count, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  /** Keeps these bytes (a manifest, a config). Idempotent. */
  async put(bytes: Uint8Array): Promise<BlobDescriptor> {
    const digest = sha256(bytes);
    if (await this.has(digest)) return { digest, size: bytes.length };
    const writer = await this.writer({ digest, size: bytes.length });
    await writer.write(bytes);
    return writer.commit();
  }

  /** Runs `work`, which brings this blob, when nobody else is bringing it: ask `has` inside. Throws ABORTED, IO. */
  async claimed<T>(digest: string, options: ClaimOptions, work: () => Promise<T>): Promise<T> {
    return withClaim(this.#temporary, digestHex(digest), options, work);
  }

  /** Begins a blob. Two writers of one digest do not disturb each other: the last rename wins with the same bytes. */
  async writer(expect: BlobExpectation = {}): Promise<BlobWriter> {
    if (expect.digest !== undefined) this.path(expect.digest);
    try {
      await mkdir(this.#temporary, { recursive: true, mode: 0o700 });
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      // Who sweeps tmp/ sees that it is being written.
      const { path, file } = await makeHeldFile(this.#temporary);
      return new Writer(file, path, digest => this.path(digest), expect);
    } catch (error) {
      throw ioError(error, `cannot begin a blob in ${this.#temporary}`);
    }
  }

  /** Digests of every blob that is here. */
  async list(): Promise<string[]> {
    return (await this.#names()).map(name => `sha256:${name}`).filter(isDigest);
  }

  /** Names beside the blobs that are none. */
  async strangers(): Promise<string[]> {
    return (await this.#names()).filter(name => !isDigest(`sha256:${name}`));
  }

  async #names(): Promise<string[]> {
    return readdir(this.#directory).catch((error: unknown) => {
      if (hasErrno(error, 'ENOENT')) return [];
      throw ioError(error, `cannot list ${this.#directory}`);
    });
  }

  /** No error when it is not here. */
  async remove(digest: string): Promise<void> {
    await rm(this.path(digest), { force: true }).catch((error: unknown) => {
      throw ioError(error, `cannot remove blob ${digest}`);
    });
  }
}

class Writer implements BlobWriter {
  readonly #hash: Hash = newSha256();
  readonly #file: FileHandle;
  readonly #temporary: string;
  readonly #final: (digest: string) => string;
  readonly #expect: BlobExpectation;
  #offset = 0;
  #open = true;
  #done: BlobDescriptor | undefined;

  constructor(
    file: FileHandle,
    temporary: string,
    final: (digest: string) => string,
    expect: BlobExpectation,
  ) {
    this.#file = file;
    this.#temporary = temporary;
    this.#final = final;
    this.#expect = expect;
  }

  get offset(): number {
    return this.#offset;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (!this.#open) throw new TsboxError('INTERNAL', 'write to a blob that has ended');
    const { size } = this.#expect;
    if (size !== undefined && this.#offset + chunk.length > size) {
      throw await this.#refuse(`is longer than the ${size} bytes announced`);
    }
    try {
      for (let at = 0; at < chunk.length; ) at += (await this.#file.write(chunk, at)).bytesWritten;
    } catch (error) {
      await this.abort();
      throw ioError(error, `cannot write ${this.#temporary}`);
    }
    this.#hash.update(chunk);
    this.#offset += chunk.length;
  }

  async commit(): Promise<BlobDescriptor> {
    if (this.#done) return this.#done;
    if (!this.#open) throw new TsboxError('INTERNAL', 'commit of a blob that was given up');
    const { size, digest: expected } = this.#expect;
    if (size !== undefined && this.#offset !== size) {
      throw await this.#refuse(`has ${this.#offset} bytes instead of ${size}`);
    }
    const digest = `sha256:${this.#hash.digest('hex')}`;
    if (expected !== undefined && digest !== expected)
      throw await this.#refuse(`does not match: it is ${digest}`);
    await this.#publish(digest);
    this.#done = { digest, size: this.#offset };
    return this.#done;
  }

  get fd(): number {
    return this.#file.fd;
  }

  async commitWritten({ digest, size }: BlobDescriptor): Promise<BlobDescriptor> {
    const length = (await this.#file.stat()).size;
    if (length !== size) throw await this.#refuse(`has ${length} bytes instead of ${size}`);
    await this.#publish(digest);
    this.#done = { digest, size };
    return this.#done;
  }

  async #publish(digest: string): Promise<void> {
    try {
      await this.#file.sync();
      // Closed, and with that unlocked, only when it has its name.
      await rename(this.#temporary, this.#final(digest));
      await this.#close();
    } catch (error) {
      await this.abort();
      throw ioError(error, `cannot keep blob ${digest}`);
    }
  }

  async #refuse(what: string): Promise<TsboxError> {
    await this.abort();
    return new TsboxError('DIGEST', `content of ${this.#expect.digest ?? 'a blob'} ${what}`, {
      hint: 'the content was damaged or replaced on its way; try again, or report it to whoever publishes it',
    });
  }

  async abort(): Promise<void> {
    if (this.#done) return;
    await this.#close();
    await rm(this.#temporary, { force: true }).catch(() => {});
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.close();
  }
}

async function openBlob(path: string, digest: string): Promise<FileHandle> {
  return promises.open(path, 'r').catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) throw new TsboxError('NOT_FOUND', `no blob ${digest} in the store`);
    throw ioError(error, `cannot read blob ${digest}`);
  });
}

async function readBounded(path: string, digest: string, maxBytes: number): Promise<Buffer> {
  const file = await openBlob(path, digest);
  try {
    const { size } = await file.stat();
    if (size > maxBytes) {
      throw new TsboxError(
        'STORE_CORRUPT',
        `blob ${digest} has ${size} bytes, at most ${maxBytes} belong here`,
      );
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}
