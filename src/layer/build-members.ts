import { closeSync } from 'node:fs';
import { TsboxError } from '../errors.ts';
import { WHITEOUT_PREFIX } from '../oci/whiteout.ts';
import { partsOf } from './build-match.ts';
import { type Choice, type Chosen, join, type TreeNode } from './build-select.ts';
import type { SourceGo } from './build-tasks.ts';
import { type ByteString, show } from './bytes.ts';
import { Batch, type PackCopy, packBody } from './pack.ts';
import { refused } from './pack-items.ts';
import { TAR_END, type TarMember, tarHeader } from './tar-writer.ts';

/** An entry of an archive and where its bytes are. */
export interface Member {
  readonly member: TarMember;
  /** A descriptor, closed after reading; absent: no body, or `bytes`. */
  readonly open?: () => number;
  readonly bytes?: Buffer;
}

/** Of files with several names, the first one in the archive, by device and inode. */
export type FirstNames = Map<string, ByteString>;

/** What a tree that is copied from knows of a file. */
export interface CopyNode extends TreeNode {
  /** Its entry under a name; undefined for what no archive holds. Called in the archive's order: hard links go by it. */
  describe(name: ByteString, names: FirstNames): Member | undefined;
  /** For the digest: owner, mode and attributes in a line. */
  readonly identity: string;
  /** Bytes of a regular file. */
  readonly size: number;
  /** The same for all names of a regular file with several. */
  readonly inode: string | undefined;
  /** Opens a regular file. */
  open(): number;
}

/** The archive of some members. A piece is valid until the next one is asked for. `copy` gets what is read from files. */
export function* packMembers(
  members: Iterable<Member>,
  end = true,
  copy?: Pick<PackCopy, 'data'>,
): Generator<Buffer> {
  const out = new Batch();
  for (const { member, open, bytes } of members) {
    yield* out.add(tarHeader(member));
    if (bytes) yield* addBytes(bytes, out);
    else if (open && member.stored > 0) yield* addFile(open(), member.stored, out, copy);
  }
  if (end) yield* out.add(TAR_END);
  yield* out.rest();
}

function* addBytes(bytes: Buffer, out: Batch): Generator<Buffer> {
  yield* out.add(bytes);
  yield* out.add(TAR_END.subarray(0, (512 - (bytes.length % 512)) % 512));
}

function* addFile(
  fd: number,
  size: number,
  out: Batch,
  copy: Pick<PackCopy, 'data'> | undefined,
): Generator<Buffer> {
  try {
    yield* packBody(fd, size, out, copy);
  } finally {
    closeSync(fd);
  }
}

/** The members of a copy under their new names. */
export function* membersOf<N extends CopyNode>(
  choice: Choice<N>,
  go: SourceGo,
  names: FirstNames = new Map(),
): Generator<Member> {
  const change = changeOf(go);
  const made = new Set<ByteString>();
  for (const file of choice.files) {
    const name = nameOf(file, choice, go);
    if (name === undefined || (file.node.type === 'dir' && made.has(name))) continue;
    if (file.node.type === 'dir') made.add(name);
    if (name.includes(WHITEOUT_PREFIX) && partsOf(name).some(part => part.startsWith(WHITEOUT_PREFIX)))
      throw refused(name);
    const described = file.node.describe(name, names);
    if (described) yield { ...described, member: change(described.member) };
  }
}

/** Undefined: it is there already. */
function nameOf<N extends TreeNode>(
  file: Chosen<N>,
  { sources }: Choice<N>,
  { path, intoDirectory, exists }: SourceGo,
): ByteString | undefined {
  const source = sources[file.source];
  if (source?.isDirectory || file.relative !== '') {
    if (file.relative === '' && exists) return undefined;
    return join(path, file.relative) || undefined;
  }
  return intoDirectory ? join(path, source?.name ?? '') : path;
}

/** --chown and --chmod. */
export function changeOf({ uid, gid, chmod }: SourceGo): (member: TarMember) => TarMember {
  const mode = chmod === undefined ? undefined : modeChange(chmod);
  if (uid === undefined && gid === undefined && !mode) return member => member;
  return member => ({
    ...member,
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
    ...(mode && member.type !== 'symlink' && { mode: mode(member.mode, member.type === 'dir') }),
  });
}

const SYMBOLIC = /^([ugoa]*)((?:[+=-][rwxXst]*)+)$/;

/** Octal, or chmod(1)'s symbolic form. Throws USAGE. */
export function modeChange(text: string): (mode: number, isDirectory: boolean) => number {
  if (/^[0-7]{1,5}$/.test(text)) return () => Number.parseInt(text, 8) & 0o7777;
  const clauses = text.split(',').map(clause => SYMBOLIC.exec(clause));
  if (clauses.some(clause => !clause)) throw wrongMode(text);
  const steps = clauses.flatMap(clause =>
    [...(clause?.[2] ?? '').matchAll(/([+=-])([rwxXst]*)/g)].map(([, sign = '', letters = '']) => {
      return { who: clause?.[1] || 'a', sign, letters };
    }),
  );
  return (mode, isDirectory) => steps.reduce((now, step) => applyMode(now, step, isDirectory), mode);
}

interface ModeStep {
  readonly who: string;
  readonly sign: string;
  readonly letters: string;
}

const SHIFT: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };
const SPECIAL: Readonly<Record<string, number>> = { u: 0o4000, g: 0o2000, o: 0 };

function applyMode(mode: number, { who, sign, letters }: ModeStep, isDirectory: boolean): number {
  let bits = 0;
  let all = 0;
  const executes = letters.includes('x') || (letters.includes('X') && (isDirectory || (mode & 0o111) !== 0));
  const rwx = (letters.includes('r') ? 4 : 0) | (letters.includes('w') ? 2 : 0) | (executes ? 1 : 0);
  for (const one of who.includes('a') ? 'ugo' : who) {
    bits |= rwx << (SHIFT[one] ?? 0);
    all |= (7 << (SHIFT[one] ?? 0)) | (SPECIAL[one] ?? 0);
    if (letters.includes('s')) bits |= SPECIAL[one] ?? 0;
  }
  if (letters.includes('t')) bits |= 0o1000;
  if (sign === '+') return mode | bits;
  return sign === '-' ? mode & ~bits : (mode & ~all) | bits;
}

const wrongMode = (text: string): TsboxError =>
  new TsboxError('DOCKERFILE', `--chmod=${text} is no mode`, { hint: '--chmod=755, --chmod=u+x,go-w' });

/** Nothing younger than the epoch (seconds). */
export function clampTime<M extends Pick<TarMember, 'mtime'>>(member: M, epoch: number | undefined): M {
  if (epoch === undefined || member.mtime.seconds < epoch) return member;
  return { ...member, mtime: { seconds: epoch, nanoseconds: 0 } };
}

export const unreadable = (name: ByteString, error: unknown): TsboxError =>
  new TsboxError('IO', `cannot read ${show(name)}: ${(error as Error).message}`, { cause: error });
