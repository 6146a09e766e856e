import { TsboxError } from '../errors.ts';
import type { RegistryClient } from './client.ts';
import { Transient } from './failure.ts';
import {
  type BlobContent,
  type BlobSize,
  beginUpload,
  finishUpload,
  locationOf,
  pushScope,
} from './upload-steps.ts';

interface Session {
  location: URL;
  readonly pieces: AsyncIterator<Buffer>;
  /** Bytes that the registry has taken. */
  offset: number;
  /** Read and not yet known to have been taken. */
  piece: Buffer | undefined;
}

/**
 * An upload in pieces (distribution spec, "pushing a blob in chunks"), for registries behind proxies that limit a request. After a
 * break it asks the registry where it stands and goes on from there.
 */
export class ChunkedUpload {
  readonly #client: RegistryClient;
  readonly #content: BlobContent;
  readonly #chunkSize: number;
  readonly #onBytes: ((sent: number) => void) | undefined;
  #session: Session | undefined;
  /** As far as any try came: what only repeats is no progress. */
  #best = 0;

  constructor(
    client: RegistryClient,
    content: BlobContent,
    chunkSize: number,
    onBytes: ((sent: number) => void) | undefined,
  ) {
    this.#client = client;
    this.#content = content;
    this.#chunkSize = chunkSize;
    this.#onBytes = onBytes;
  }

  /** One try, for withRetry: goes on where the last one ended. `progress` is called for each piece. */
  async attempt(progress: () => void): Promise<BlobSize> {
    const session = (await this.#resumed()) ?? (await this.#begin());
    for (;;) {
      session.piece ??= await nextOf(session);
      if (session.piece === undefined) break;
      await this.#send(session, session.piece);
      session.offset += session.piece.length;
      session.piece = undefined;
      this.#onBytes?.(session.offset);
      if (session.offset > this.#best) progress();
      this.#best = Math.max(this.#best, session.offset);
    }
    const made = this.#content.known ?? this.#content.describe();
    await finishUpload(this.#client, session.location, made);
    return made;
  }

  async #begin(): Promise<Session> {
    const { location, minChunk } = await beginUpload(this.#client);
    const pieces = cut(this.#content.open(), Math.max(this.#chunkSize, minChunk));
    this.#session = { location, pieces, offset: 0, piece: undefined };
    return this.#session;
  }

  async #send(session: Session, piece: Buffer): Promise<void> {
    const headers = {
      'content-type': 'application/octet-stream',
      'content-length': String(piece.length),
      'content-range': `${session.offset}-${session.offset + piece.length - 1}`,
    };
    const request = { method: 'PATCH', path: session.location, headers, body: piece } as const;
    const scope = pushScope(this.#client);
    const response = await this.#client.once({ ...request, scope, expect: [201, 202, 204, 416] });
    response.body.cancel();
    if (response.status === 416) throw outOfStep(this.#client);
    session.location = locationOf(response, this.#client);
  }

  /** The session of the try before, moved to where the registry says it is; undefined when it is lost. */
  async #resumed(): Promise<Session | undefined> {
    const session = this.#session;
    if (session === undefined) return undefined;
    const end = await this.#standing(session);
    const { offset, piece } = session;
    if (piece !== undefined && end === offset + piece.length) {
      session.offset = end;
      session.piece = undefined;
    } else if (end !== offset) {
      this.#session = undefined;
      await session.pieces.return?.();
      return undefined;
    }
    return session;
  }

  /** How many bytes the registry has; undefined when it no longer knows the upload. */
  async #standing(session: Session): Promise<number | undefined> {
    const scope = pushScope(this.#client);
    const request = { method: 'GET', path: session.location, scope, expect: [204, 404] } as const;
    const response = await this.#client.once(request);
    response.body.cancel();
    const last = /^(?:bytes=)?0-([0-9]+)$/.exec(response.headers.range ?? '')?.[1];
    if (response.status !== 204 || last === undefined) return undefined;
    if (response.headers.location !== undefined) session.location = locationOf(response, this.#client);
    // `0-0` is what registries say of an empty upload and of one byte.
    return last === '0' ? 0 : Number(last) + 1;
  }
}

async function nextOf({ pieces }: Session): Promise<Buffer | undefined> {
  const { value, done } = await pieces.next();
  return done ? undefined : value;
}

/** The same bytes in pieces of `size`, the last one shorter. */
export async function* cut(bytes: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    let rest = chunk;
    while (length + rest.length >= size) {
      const head = rest.subarray(0, size - length);
      yield Buffer.concat([...waiting, head]);
      rest = rest.subarray(head.length);
      waiting = [];
      length = 0;
    }
    if (rest.length > 0) waiting.push(rest);
    length += rest.length;
  }
  if (length > 0) yield Buffer.concat(waiting);
}

function outOfStep(client: RegistryClient): Transient {
  const text = `registry ${client.source.host} has another part of a blob than was sent`;
  return new Transient(new TsboxError('REGISTRY', text));
}
