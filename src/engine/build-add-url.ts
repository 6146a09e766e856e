import { openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { AddInstruction } from '../build/instructions.ts';
import { TsboxError } from '../errors.ts';
import { changeOf, type Member, packMembers } from '../layer/build-members.ts';
import { join as joinName } from '../layer/build-select.ts';
import type { SourceGo } from '../layer/build-tasks.ts';
import { isTar } from '../layer/build-unpack-head.ts';
import { makeWorkDir } from '../store/workdir.ts';
import { newSha256 } from '../util/hash.ts';
import { optionsOf, pickArchive } from './build-add-archive.ts';
import { download } from './build-download.ts';
import { bytesOf } from './build-layer.ts';
import { foundBefore, type Pick } from './build-pick.ts';
import { readAll } from './build-read.ts';
import type { BuildSession } from './build-session.ts';
import { removeTree } from './remove-tree.ts';

/** A file that ADD fetches: mode 0600, the time that the server says. Throws DIGEST when it is not what `--checksum` says. */
export async function pickDownload(
  session: BuildSession,
  instruction: AddInstruction,
  url: string,
): Promise<Pick> {
  const { engine } = session;
  const work = await makeWorkDir(engine.paths.tmp, 'download');
  const close = async (): Promise<void> => {
    await removeTree(engine, work.path.slice(engine.paths.root.length + 1));
    await work.release();
  };
  try {
    const file = { path: join(work.path, 'file'), ...(await fetchTo(session, url, join(work.path, 'file'))) };
    checkDigest(instruction.checksum, file.digest, url);
    const name = bytesOf(basename(decodeURIComponent(new URL(url).pathname)));
    if (name === '' && instruction.target.endsWith('/'))
      throw new TsboxError('DOCKERFILE', `${url} has no file name, and ${instruction.target} is a directory`);
    const openFile = (): number => openSync(file.path, 'r');
    if (instruction.unpack && (await isTar(readAll(openFile()), optionsOf(session))))
      return { ...pickArchive(session, openFile, { name, isDirectory: false }), close };
    return {
      ...foundBefore({ digest: file.digest, sources: [{ name, isDirectory: false }] }),
      pieces: async go => packMembers([memberOf(name, file, go, openFile)], false),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Fetched {
  readonly size: number;
  readonly digest: string;
  /** Seconds. */
  readonly mtime: number;
}

async function fetchTo({ engine }: BuildSession, url: string, path: string): Promise<Fetched> {
  const body = await download(engine, url);
  const hash = newSha256();
  const file = await open(path, 'wx', 0o600);
  let size = 0;
  try {
    for await (const chunk of body) {
      hash.update(chunk);
      size += chunk.length;
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  const modified = Date.parse(body.headers['last-modified'] ?? '');
  return {
    size,
    digest: `sha256:${hash.digest('hex')}`,
    mtime: Number.isNaN(modified) ? 0 : Math.floor(modified / 1000),
  };
}

function checkDigest(wanted: string | undefined, found: string, url: string): void {
  if (wanted === undefined || wanted === found) return;
  if (!/^sha256:[0-9a-f]{64}$/.test(wanted))
    throw new TsboxError('DOCKERFILE', `--checksum=${wanted} is not sha256: and 64 hex digits`);
  throw new TsboxError('DIGEST', `${url} has the content of ${found}, not of ${wanted}`, { exitCode: 1 });
}

function memberOf(name: string, { size, mtime }: Fetched, go: SourceGo, openFile: () => number): Member {
  const member = {
    name: go.intoDirectory ? joinName(go.path, name) : go.path,
    type: 'file' as const,
    size,
    stored: size,
    mode: 0o600,
    uid: 0,
    gid: 0,
    mtime: { seconds: mtime, nanoseconds: 0 },
    link: '',
    major: 0,
    minor: 0,
    xattrs: undefined,
  };
  return { member: changeOf(go)(member), open: openFile };
}
