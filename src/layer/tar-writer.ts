import type { ByteString } from './bytes.ts';
import type { TarEntry } from './entry.ts';
import { paxRecord, paxTime } from './pax-writer.ts';

/** What a header says of an entry. `stored` is the length of the body that follows; less than `size` for a sparse file only. */
export type TarMember = Omit<TarEntry, 'sparse'>;

const BLOCK = 512;
const NAME = 100;
const LETTERS: Readonly<Record<TarEntry['type'], string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  dir: '5',
  fifo: '6',
};

/** Two blocks of zeros end an archive. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);

/** What fills the last block of a body of `size` bytes; may be empty. */
export const tarPadding = (size: number): Buffer => TAR_END.subarray(0, (BLOCK - (size % BLOCK)) % BLOCK);

/**
 * The header blocks of one entry: ustar (POSIX.1-2017, pax), before it a PAX header with whatever does not fit there: long
 * names, large numbers, nanoseconds, extended attributes (`SCHILY.xattr.*`), `extra` records. The same entry always makes the same bytes.
 */
export function tarHeader(member: TarMember, extra: readonly Buffer[] = []): Buffer {
  const block = ustarBlock(member, LETTERS[member.type]);
  const all = [...extra, ...paxRecords(member)];
  if (all.length === 0) return block;
  const records = Buffer.concat(all);
  const meta = { ...PLAIN, name: `PaxHeaders/${member.name.slice(0, 80)}`, stored: records.length };
  return Buffer.concat([ustarBlock(meta, 'x'), records, tarPadding(records.length), block]);
}

const PLAIN: Omit<TarMember, 'name' | 'stored'> = {
  type: 'file',
  size: 0,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  link: '',
  major: 0,
  minor: 0,
  xattrs: undefined,
};

function paxRecords(member: TarMember): Buffer[] {
  const { name, link, stored, uid, gid, mtime, xattrs } = member;
  const records: Buffer[] = [];
  const put = (key: ByteString, value: ByteString | Buffer) => records.push(paxRecord(key, value));
  if (name.length > NAME) put('path', name);
  if (link.length > NAME) put('linkpath', link);
  if (!fits(stored, 12)) put('size', String(stored));
  if (!fits(uid, 8)) put('uid', String(uid));
  if (!fits(gid, 8)) put('gid', String(gid));
  if (mtime.nanoseconds !== 0 || !fits(mtime.seconds, 12)) put('mtime', paxTime(mtime));
  if (!xattrs) return records;
  for (const [key, value] of [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1)))
    put(`SCHILY.xattr.${key}`, value);
  return records;
}

/** Octal digits and a NUL. */
const fits = (value: number, length: number): boolean => value >= 0 && value < 8 ** (length - 1);

function ustarBlock(member: TarMember, letter: string): Buffer {
  const block = Buffer.allocUnsafe(BLOCK).fill(0);
  block.write(member.name.slice(0, NAME), 0, 'latin1');
  octal(block, 100, 8, member.mode & 0o7777);
  octal(block, 108, 8, member.uid);
  octal(block, 116, 8, member.gid);
  octal(block, 124, 12, member.stored);
  octal(block, 136, 12, member.mtime.seconds);
  block.write(letter, 156, 'latin1');
  block.write(member.link.slice(0, NAME), 157, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  octal(block, 329, 8, member.major);
  octal(block, 337, 8, member.minor);
  block.write(' ', 155, 'latin1');
  octal(block, 148, 7, checksum(block));
  return block;
}

/** Of the bytes, with spaces in the place of the sum itself. A plain loop: an iterator is most of a header's cost. */
function checksum(block: Buffer): number {
  let sum = 7 * 0x20;
  for (let i = 0; i < BLOCK; i++) sum += block[i] as number;
  return sum;
}

const DIGIT = 0x30;

/** A number that does not fit is in the PAX header, and 0 here. */
function octal(block: Buffer, at: number, length: number, value: number): void {
  let rest = fits(value, length) ? value : 0;
  for (let i = at + length - 2; i >= at; i--) {
    const above = Math.floor(rest / 8);
    block[i] = DIGIT + rest - above * 8;
    rest = above;
  }
}
