import { closeSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type ContextTools,
  namedContextKind,
  type OpenedContext,
  openContext,
  openNamedContext,
} from '../build/context.ts';
import type { DockerfileSource } from '../build/context-dockerfile.ts';
import type { BuildContext, BuildOptions } from '../build/types.ts';
import { CopyExtractor } from '../layer/copy-extract.ts';
import { heldWay } from '../layer/copy-frames.ts';
import { hostMetadata } from '../layer/copy-metadata.ts';
import { HOLD, heldPath } from '../layer/copy-walk.ts';
import { DEFAULT_LIMITS, decompress } from '../layer/decompress.ts';
import { TarReader } from '../layer/tar-reader.ts';
import { makeWorkDir } from '../store/workdir.ts';
import { download } from './build-download.ts';
import type { Engine } from './context.ts';
import { inflateForeign } from './foreign-compression.ts';

/** The contexts of one build, each opened when it is asked for first. Throws NOT_FOUND, IO, USAGE, NETWORK. */
export class BuildContexts {
  readonly #tools: ContextTools;
  readonly #options: BuildOptions;
  readonly #named = new Map<string, Promise<BuildContext>>();
  #main: Promise<OpenedContext> | undefined;

  constructor(engine: Engine, options: BuildOptions) {
    this.#tools = toolsOf(engine);
    this.#options = options;
  }

  async dockerfile(): Promise<DockerfileSource> {
    return (await this.#open()).dockerfile;
  }

  /** The image that a `--build-context` stands for; undefined when it is one with files. */
  imageOf(name: string): string | undefined {
    const kind = namedContextKind(this.#value(name), this.#tools.cwd);
    return 'image' in kind ? kind.image : undefined;
  }

  /** The main context, or a named one that is no image. */
  async get(name?: string): Promise<BuildContext> {
    if (name === undefined) return (await this.#open()).context;
    const opened = this.#named.get(name) ?? openNamedContext(this.#value(name), this.#tools);
    this.#named.set(name, opened);
    return opened;
  }

  /** Removes what was temporary. */
  async close(): Promise<void> {
    const main = this.#main?.then(({ context }) => context);
    for (const each of await Promise.allSettled([...(main ? [main] : []), ...this.#named.values()]))
      if (each.status === 'fulfilled') await each.value.close();
  }

  #open(): Promise<OpenedContext> {
    const { context: source, dockerfile, dockerfileText } = this.#options;
    this.#main ??= openContext(
      {
        ...(source !== undefined && { source }),
        ...(dockerfile !== undefined && { dockerfile }),
        ...(dockerfileText !== undefined && { dockerfileText }),
      },
      this.#tools,
    );
    return this.#main;
  }

  #value(name: string): string {
    return this.#options.buildContexts?.[name] ?? '';
  }
}

const toolsOf = (engine: Engine): ContextTools => ({
  cwd: resolve('.'),
  download: url => download(engine, url),
  unpack,
  async temporary() {
    const { path, release } = await makeWorkDir(engine.paths.tmp, 'context');
    const remove = async (): Promise<void> => {
      await rm(path, { recursive: true, force: true });
      await release();
    };
    return { path, remove };
  },
});

/** Files of the caller; what an archive links to is never written through. */
async function unpack(archive: AsyncIterable<Buffer>, directory: string): Promise<void> {
  const fd = openSync(directory, HOLD);
  const extractor = new CopyExtractor({
    directory: heldPath(fd),
    rename: undefined,
    way: heldWay,
    metadata: hostMetadata(false),
  });
  const reader = new TarReader(extractor);
  try {
    for await (const piece of decompress(archive, DEFAULT_LIMITS, inflateForeign)) reader.push(piece);
    reader.finish();
    extractor.finish();
  } finally {
    extractor.close();
    closeSync(fd);
  }
}
