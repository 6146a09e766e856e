import { createReadStream, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { TsboxError } from '../errors.ts';
import { DirectoryContext } from './context-directory.ts';
import { type DockerfileSource, findDockerfile } from './context-dockerfile.ts';
import { cloneRepository, gitSource } from './context-git.ts';
import { isArchive, peekStart, textOf } from './context-sniff.ts';
import type { BuildContext } from './types.ts';

/** What the engine does for this room. */
export interface ContextTools {
  /** A directory for one context. */
  temporary(): Promise<{ readonly path: string; remove(): Promise<void> }>;
  /** Makes the files of an archive (plain, gzip, zstd, xz, bzip2), as the caller's. */
  unpack(archive: AsyncIterable<Buffer>, directory: string): Promise<void>;
  /** The body of what a URL leads to. Throws NOT_FOUND, NETWORK. */
  download(url: string): Promise<AsyncIterable<Buffer>>;
  /** What relative paths are relative to. */
  readonly cwd: string;
}

/** A context with the Dockerfile that belongs to it. */
export interface OpenedContext {
  readonly context: BuildContext;
  readonly dockerfile: DockerfileSource;
}

export interface OpenContextOptions {
  /** As `BuildOptions.context`. */
  readonly source?: string | Readable;
  /** `-f`. */
  readonly dockerfile?: string;
  readonly dockerfileText?: string;
}

/** A place whose files are there. */
interface Place {
  readonly root: string;
  /** From elsewhere: nothing in it is trusted, and what `-f` names is in it. */
  readonly foreign: boolean;
  /** What came was no archive but a Dockerfile. */
  readonly text?: string;
  readonly remove?: () => Promise<void>;
}

/** Opens the main context of a build. Throws NOT_FOUND, IO, USAGE, HOST, LAYER for a broken archive. */
export async function openContext(options: OpenContextOptions, tools: ContextTools): Promise<OpenedContext> {
  const place = await placeOf(options.source, tools);
  try {
    const dockerfile = dockerfileOf(options, place, tools);
    const ignoreFile = dockerfile.path === undefined ? undefined : `${dockerfile.path}.dockerignore`;
    const context = new DirectoryContext({
      root: place.root,
      ...(place.remove && { remove: place.remove }),
      ...(ignoreFile !== undefined && { ignoreFile }),
    });
    return { context, dockerfile };
  } catch (error) {
    await place.remove?.();
    throw error;
  }
}

/** A `--build-context` that is no image. */
export async function openNamedContext(source: string, tools: ContextTools): Promise<BuildContext> {
  const place = await placeOf(source, tools);
  try {
    return new DirectoryContext({ root: place.root, ...(place.remove && { remove: place.remove }) });
  } catch (error) {
    await place.remove?.();
    throw error;
  }
}

/** What `--build-context name=value` means. `docker-image://` and what is neither path nor URL are images. */
export function namedContextKind(value: string, cwd: string): { image: string } | { source: string } {
  if (value.startsWith('docker-image://')) return { image: value.slice('docker-image://'.length) };
  if (value.startsWith('oci-layout://'))
    throw new TsboxError('USAGE', `--build-context ${value}: load the layout first (tsbox load)`);
  const path = value.startsWith('local:') ? value.slice('local:'.length) : value;
  const isPath = statSync(resolve(cwd, path), { throwIfNoEntry: false }) !== undefined;
  if (isPath || /^[a-z]+:\/\//.test(path) || gitSource(path) || /^[./]/.test(path)) return { source: path };
  return { image: value };
}

function dockerfileOf(options: OpenContextOptions, place: Place, { cwd }: ContextTools): DockerfileSource {
  const { dockerfile: name, dockerfileText } = options;
  if (dockerfileText !== undefined) return { file: 'Dockerfile', text: dockerfileText };
  if (place.text !== undefined) {
    if (name === undefined) return { file: 'Dockerfile', text: place.text };
    throw new TsboxError('USAGE', 'the context is a Dockerfile and no archive: -f has nothing to name');
  }
  return findDockerfile({
    root: place.root,
    ...(name !== undefined && { name }),
    ...(!place.foreign && { cwd }),
  });
}

async function placeOf(source: string | Readable | undefined, tools: ContextTools): Promise<Place> {
  if (source === undefined) return temporaryPlace(tools, async () => {});
  if (typeof source !== 'string') return streamPlace(source, tools);
  const path = isAbsolute(source) ? source : join(tools.cwd, source);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return { root: path, foreign: false };
  if (stat?.isFile()) return streamPlace(createReadStream(path, { highWaterMark: 1 << 20 }), tools);
  const git = gitSource(source);
  if (git) {
    let root = '';
    const place = await temporaryPlace(tools, async into => {
      root = await cloneRepository(git, { into });
    });
    return { ...place, root };
  }
  if (/^https?:\/\//.test(source)) return streamPlace(await tools.download(source), tools);
  throw new TsboxError('NOT_FOUND', `the context ${source} is not there`, {
    hint: "a context is a directory, a tar archive, a URL, a git repository, or '-' for stdin",
    exitCode: 1,
  });
}

/** An archive, or a Dockerfile alone. */
async function streamPlace(stream: AsyncIterable<Buffer>, tools: ContextTools): Promise<Place> {
  const { head, all } = await peekStart(stream);
  if (isArchive(head)) return temporaryPlace(tools, directory => tools.unpack(all, directory));
  const text = await textOf(all);
  return { ...(await temporaryPlace(tools, async () => {})), text };
}

async function temporaryPlace(
  tools: ContextTools,
  fill: (directory: string) => Promise<void>,
): Promise<Place> {
  const { path, remove } = await tools.temporary();
  try {
    await fill(path);
  } catch (error) {
    await remove();
    throw error;
  }
  return { root: path, foreign: true, remove };
}
