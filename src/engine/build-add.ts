import { DirectoryContext } from '../build/context-directory.ts';
import { cloneRepository, gitSource } from '../build/context-git.ts';
import type { AddInstruction } from '../build/instructions.ts';
import { TsboxError } from '../errors.ts';
import { selectFiles } from '../layer/build-select.ts';
import { isTar } from '../layer/build-unpack-head.ts';
import { makeWorkDir } from '../store/workdir.ts';
import { optionsOf, pickArchive } from './build-add-archive.ts';
import { ContextTree } from './build-copy-tree.ts';
import { bytesOf } from './build-layer.ts';
import { type Pick, pickChoice, pickFromContext } from './build-pick.ts';
import { readAll } from './build-read.ts';
import type { BuildSession } from './build-session.ts';
import { removeTree } from './remove-tree.ts';

/** The sources of an ADD: files of the context as COPY takes them, archives unpacked, downloads, repositories. */
export async function pickAdded(session: BuildSession, instruction: AddInstruction): Promise<Pick[]> {
  const picks: Pick[] = [];
  try {
    for (const source of instruction.sources) {
      if (gitSource(source)) picks.push(await pickRepository(session, instruction, source));
      else if (/^https?:\/\//i.test(source)) picks.push(await pickUrl(session, instruction, source));
      else picks.push(...(await pickLocal(session, instruction, source)));
    }
    return picks;
  } catch (error) {
    for (const pick of picks) await pick.close();
    throw error;
  }
}

/** Loaded for those who need it: it knows archives by this file. */
async function pickUrl(session: BuildSession, instruction: AddInstruction, url: string): Promise<Pick> {
  return (await import('./build-add-url.ts')).pickDownload(session, instruction, url);
}

async function pickRepository(
  session: BuildSession,
  { keepGitDir, exclude }: AddInstruction,
  source: string,
): Promise<Pick> {
  const { engine } = session;
  const git = gitSource(source);
  if (!git) throw new TsboxError('INTERNAL', `${source} is no repository`);
  if (git.url.startsWith('file:')) {
    throw new TsboxError(
      'DOCKERFILE',
      `ADD ${source}: a directory of this machine is no part of the context`,
      {
        hint: 'name it where you build: --build-context NAME=DIR, and COPY --from=NAME',
      },
    );
  }
  const work = await makeWorkDir(engine.paths.tmp, 'git');
  const remove = async (): Promise<void> => {
    await removeTree(engine, work.path.slice(engine.paths.root.length + 1));
    await work.release();
  };
  try {
    const root = await cloneRepository(git, { into: work.path, keepGitDir });
    const context = new DirectoryContext({ root, remove });
    const pick = pickFromContext(context, { sources: ['/'], exclude: exclude.map(bytesOf), parents: false });
    return { ...pick, close: () => context.close() };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Each file that is an archive is a source of its own. */
async function pickLocal(
  session: BuildSession,
  { exclude, parents, unpack = true }: AddInstruction,
  source: string,
): Promise<Pick[]> {
  const context = await session.context();
  const selection = { sources: [bytesOf(source)], exclude: exclude.map(bytesOf), parents };
  const choice = selectFiles(new ContextTree(context), selection);
  const archives: Pick[] = [];
  const left = [];
  for (const file of choice.files) {
    const isSource = file.relative === '' && file.node.type === 'file';
    const open = (): number => file.node.open();
    if (unpack && isSource && (await isTar(readAll(open()), optionsOf(session))))
      archives.push(pickArchive(session, open, choice.sources[file.source]));
    else left.push(file);
  }
  return left.length === 0 && archives.length > 0
    ? archives
    : [pickChoice({ ...choice, files: left }), ...archives];
}
