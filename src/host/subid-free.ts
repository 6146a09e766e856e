import type { IdRange } from './id-ranges.ts';

/** What says which ids are taken: the texts of /etc/subuid, subgid, passwd, group and login.defs. */
export interface IdFiles {
  readonly subuid: string;
  readonly subgid: string;
  readonly passwd: string;
  readonly group: string;
  readonly loginDefs: string;
}

/** As many as an image may name: ids of 16 bits. */
const COUNT = 65_536;

/**
 * The first 65,536 ids that neither file gives to anybody and that are no account or group, the same for users and groups, within the bounds of
 * login.defs(5): useradd's own rule. Undefined: no such gap is left.
 */
export function freeRange(files: IdFiles, count = COUNT): IdRange | undefined {
  const first = bound(files.loginDefs, 'MIN', 100_000, Math.max);
  const last = bound(files.loginDefs, 'MAX', 600_100_000, Math.min);
  let start = first;
  for (const range of takenIds(files)) {
    if (range.start >= start + count) break;
    start = Math.max(start, range.start + range.count);
  }
  return start + count - 1 <= last ? { start, count } : undefined;
}

/** Every range that is taken, sorted. A line whose numbers are none takes nothing. */
function takenIds(files: IdFiles): IdRange[] {
  const ranges = [files.subuid, files.subgid].flatMap(text => fieldsOf(text, 1, 2));
  const single = [files.passwd, files.group].flatMap(text => fieldsOf(text, 2));
  const taken = [
    ...ranges.map(([start = Number.NaN, count = Number.NaN]) => ({ start, count })),
    ...single.map(([start = Number.NaN]) => ({ start, count: 1 })),
  ];
  const sound = taken.filter(
    r => Number.isSafeInteger(r.start) && Number.isSafeInteger(r.count) && r.count > 0,
  );
  return sound.sort((a, b) => a.start - b.start);
}

const fieldsOf = (text: string, ...columns: number[]): number[][] =>
  text
    .split('\n')
    .map(line => line.trim().split(':'))
    .map(fields => columns.map(column => decimal(fields[column] ?? '')));

/** SUB_UID_MIN and SUB_GID_MIN: what holds for both. */
function bound(
  text: string,
  end: 'MIN' | 'MAX',
  usual: number,
  pick: (...values: number[]) => number,
): number {
  const values = ['UID', 'GID'].map(kind => {
    const found = new RegExp(`^\\s*SUB_${kind}_${end}\\s+(\\d+)`, 'm').exec(text)?.[1];
    return found === undefined ? usual : Number(found);
  });
  return pick(...values);
}

const decimal = (text: string): number => (/^\d{1,10}$/.test(text) ? Number(text) : Number.NaN);

/** `100000-165535`, as usermod takes it. */
export const spanOf = ({ start, count }: IdRange): string => `${start}-${start + count - 1}`;
