import { posix } from 'node:path';
import type { AddInstruction, CopyInstruction, Heredoc } from '../build/instructions.ts';
import type { ContentSource } from '../build/types.ts';
import { TsboxError } from '../errors.ts';
import { changeOf, type Member, packMembers } from '../layer/build-members.ts';
import { join, type Selection } from '../layer/build-select.ts';
import type { AddBegun, SourceGo } from '../layer/build-tasks.ts';
import { newSha256 } from '../util/hash.ts';
import { addLayer, type BuiltLayer, bytesOf, type Owner } from './build-layer.ts';
import { ownerOf } from './build-owner.ts';
import { type Pick, pickFromContext, pickFromLayers } from './build-pick.ts';
import type { BuildSession } from './build-session.ts';

/** A COPY or ADD that is ready: what it depends on is known. */
export interface PreparedCopy {
  /** Everything that the layer depends on beside the layers below. Sources that `make` has not read yet are read. */
  inputs(): unknown;
  /** What is known of that before anything is read: equal inputs have equal shapes. */
  readonly shape: unknown;
  /** Independent of the layers below (`--link`). */
  readonly link: boolean;
  make(): Promise<BuiltLayer>;
  close(): Promise<void>;
}

/** What a COPY works on. */
export interface CopyPlace {
  /** Diff ids so far. */
  readonly layers: readonly string[];
  readonly workdir: string;
}

const ROOT: Owner = { uid: 0, gid: 0 };

/** Throws NOT_FOUND for a source that is not there, DOCKERFILE, USER. */
export async function prepareCopy(
  session: BuildSession,
  instruction: CopyInstruction | AddInstruction,
  source: ContentSource | undefined,
  place: CopyPlace,
): Promise<PreparedCopy> {
  const { chown, chmod, files, link } = instruction;
  const owner = chown === undefined ? undefined : ownerOf(session, place.layers, chown);
  const picks = await pickAll(session, instruction, source);
  const target = targetOf(instruction.target, place.workdir);
  const count = picks.reduce((sum, pick) => sum + pick.sources.length, files.length);
  if (count > 1 && !isDirectoryName(target)) {
    const hint = 'with several sources the destination is a directory: end it with a slash';
    throw new TsboxError('DOCKERFILE', `${target} does not end with a slash`, { hint });
  }
  const inline = files.map(({ name, content }) => [name, newSha256().update(content).digest('hex')]);
  const plain = { target, owner, chmod, sources: picks.map(pick => pick.sources), files: inline };
  return {
    inputs: () => ({ ...plain, digests: picks.map(pick => pick.digest()) }),
    shape: { ...plain, shapes: picks.map(pick => pick.shape) },
    link,
    make: () =>
      addLayer(
        session.engine,
        {
          layers: link ? [] : place.layers,
          destination: target,
          owner: owner ?? ROOT,
          ...(session.epoch !== undefined && { epoch: session.epoch }),
        },
        begun => fill(picks, files, begun, goOf(begun, { target, count, owner, chmod })),
      ),
    close: async () => {
      for (const pick of picks) await pick.close();
    },
  };
}

async function pickAll(
  session: BuildSession,
  instruction: CopyInstruction | AddInstruction,
  source: ContentSource | undefined,
): Promise<Pick[]> {
  const { sources, exclude, parents } = instruction;
  if (instruction.keyword === 'ADD') return (await import('./build-add.ts')).pickAdded(session, instruction);
  if (sources.length === 0) return [];
  const selection = { sources: sources.map(bytesOf), exclude: exclude.map(bytesOf), parents };
  return [await pickFrom(session, source, selection)];
}

/** Chooses from a stage, an image or a context. */
export async function pickFrom(
  session: BuildSession,
  source: ContentSource | undefined,
  selection: Selection,
): Promise<Pick> {
  const layers = source && (await layersOf(session, source));
  if (layers) return pickFromLayers(session, layers, selection);
  const name = source?.kind === 'context' ? source.name : undefined;
  return pickFromContext(await session.context(name), selection);
}

/** Undefined for a directory of this machine. */
export async function layersOf(
  session: BuildSession,
  source: ContentSource,
): Promise<readonly string[] | undefined> {
  switch (source.kind) {
    case 'stage':
      return (await session.stage(source.index)).layers;
    case 'image':
      return (await session.image(source.reference)).layers;
    case 'scratch':
      return [];
    case 'context': {
      const reference = session.imageContext(source.name);
      return reference === undefined ? undefined : (await session.image(reference)).layers;
    }
  }
}

const isDirectoryName = (path: string): boolean => /(?:^|\/)\.{0,2}$/.test(path);

/** Absolute; a slash at the end stays. */
function targetOf(target: string, workdir: string): string {
  const path = posix.resolve('/', workdir, target);
  return isDirectoryName(target) && path !== '/' ? `${path}/` : path;
}

interface GoInput {
  readonly target: string;
  readonly count: number;
  readonly owner: Owner | undefined;
  readonly chmod: string | undefined;
}

function goOf(begun: AddBegun, { target, count, owner, chmod }: GoInput): SourceGo {
  const asked = isDirectoryName(target) || count > 1;
  if (asked && begun.exists && !begun.isDirectory)
    throw new TsboxError('BUILD', `the destination ${target} is there and is no directory`, { exitCode: 1 });
  return {
    path: begun.path,
    intoDirectory: asked || begun.isDirectory,
    // With a slash it is made as any directory on the way is.
    exists: begun.isDirectory || asked,
    ...owner,
    ...(chmod !== undefined && { chmod }),
  };
}

async function* fill(
  picks: readonly Pick[],
  files: readonly Heredoc[],
  begun: AddBegun,
  go: SourceGo,
): AsyncGenerator<Buffer> {
  const made = go.exists && !begun.exists ? [newMember(`${go.path}/`, 'dir', 0o755, go)] : [];
  yield* packMembers([...made, ...files.map(file => heredocMember(file, go))], false);
  for (const pick of picks) yield* await pick.pieces(go);
  yield* packMembers([]);
}

/** A file whose content stands in the Dockerfile. */
function heredocMember({ name, content }: Heredoc, go: SourceGo): Member {
  const path = go.intoDirectory ? join(go.path, bytesOf(name)) : go.path;
  const bytes = Buffer.from(content);
  const { member } = newMember(path, 'file', 0o644, go);
  return { member: changeOf(go)({ ...member, size: bytes.length, stored: bytes.length }), bytes };
}

/** Made now, by nobody's example. */
export function newMember(name: string, type: 'dir' | 'file', mode: number, go: Partial<Owner>): Member {
  const mtime = { seconds: Math.floor(Date.now() / 1000), nanoseconds: 0 };
  const { uid = 0, gid = 0 } = go;
  const plain = { size: 0, stored: 0, link: '', major: 0, minor: 0, xattrs: undefined };
  return { member: { ...plain, name, type, mode, uid, gid, mtime } };
}
