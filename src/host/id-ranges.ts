import type { IdMapLine } from '../plan/ops.ts';

/** Arithmetic of id ranges and maps (user_namespaces(7)). Pure. */

/** `count` ids from `start` on, on the host. */
export interface IdRange {
  readonly start: number;
  readonly count: number;
}

/** Ids are 32 bits and the last one, (uid_t)-1, means "no id". */
const LAST_ID = 0xffff_fffe;
/** The kernel takes 340 lines (UID_GID_MAP_MAX_EXTENTS), all in one write of less than a page. */
const MAX_LINES = 340;
const MAX_BYTES = 4095;

/** What is wrong with these ranges, as a clause; undefined when they can be mapped together with `self`. */
export function rangeProblem(ranges: readonly IdRange[], self?: number): string | undefined {
  const wrong = ranges.find(r => !isRange(r));
  if (wrong) return `the range ${show(wrong)} does not fit in 32 bits`;
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  const clash = sorted.findIndex((r, i) => i > 0 && endOf(sorted[i - 1]) > r.start);
  if (clash > 0) return `the ranges ${show(sorted[clash - 1])} and ${show(sorted[clash])} overlap`;
  const own = self === undefined ? undefined : ranges.find(r => r.start <= self && self < endOf(r));
  return own && `the range ${show(own)} contains your own id ${self}`;
}

/** The same ids in the same order with neighbours joined and exact repetitions (an entry by name and by number) dropped. */
export function joinRanges(ranges: readonly IdRange[]): IdRange[] {
  const joined: IdRange[] = [];
  const seen = new Set<string>();
  for (const range of ranges) {
    if (seen.has(show(range))) continue;
    seen.add(show(range));
    const last = joined.at(-1);
    if (last && endOf(last) === range.start) {
      joined[joined.length - 1] = { start: last.start, count: last.count + range.count };
    } else joined.push(range);
  }
  return joined;
}

/** 0 inside is `self`, 1 and up are the ranges one after the other. */
export function rangesMap(self: number, ranges: readonly IdRange[]): IdMapLine[] {
  return fit([{ inside: 0, outside: self, count: 1 }, ...layOut(1, ranges)]);
}

export function singleMap(self: number): IdMapLine[] {
  return [{ inside: 0, outside: self, count: 1 }];
}

/** Ids inside are the ranges from 0 on: nobody of the host is root inside. */
export function directMap(ranges: readonly IdRange[]): IdMapLine[] {
  return fit(layOut(0, ranges));
}

/** `self` keeps its number inside; the ranges fill the ids below it, then those above. */
export function keepIdMap(self: number, ranges: readonly IdRange[]): IdMapLine[] {
  const [below, above] = splitRanges(ranges, self);
  return fit([...layOut(0, below), { inside: self, outside: self, count: 1 }, ...layOut(self + 1, above)]);
}

/**
 * For every host id that both maps have: `inside` in `from` is `outside` here, its id inside `to` is `inside`. So the result
 * translates ids of one namespace into those of another, in lines that are as long as possible.
 */
export function translate(from: readonly IdMapLine[], to: readonly IdMapLine[]): IdMapLine[] {
  return from.flatMap(a =>
    to.flatMap(b => {
      const start = Math.max(a.outside, b.outside);
      const count = Math.min(a.outside + a.count, b.outside + b.count) - start;
      if (count <= 0) return [];
      return [{ inside: b.inside + (start - b.outside), outside: a.inside + (start - a.outside), count }];
    }),
  );
}

/** The host's id for an id inside; undefined when it is not mapped. */
export function toHost(map: readonly IdMapLine[], inside: number): number | undefined {
  const line = map.find(l => l.inside <= inside && inside < l.inside + l.count);
  return line && line.outside + (inside - line.inside);
}

/** The id inside for a host's id; undefined when it is not mapped. */
export function toInside(map: readonly IdMapLine[], outside: number): number | undefined {
  const line = map.find(l => l.outside <= outside && outside < l.outside + l.count);
  return line && line.inside + (outside - line.outside);
}

/** The first `count` ids of the ranges, and the others. */
export function splitRanges(ranges: readonly IdRange[], count: number): [IdRange[], IdRange[]] {
  const first: IdRange[] = [];
  const rest: IdRange[] = [];
  let left = count;
  for (const { start, count: n } of ranges) {
    const taken = Math.min(left, n);
    if (taken > 0) first.push({ start, count: taken });
    if (taken < n) rest.push({ start: start + taken, count: n - taken });
    left -= taken;
  }
  return [first, rest];
}

function layOut(from: number, ranges: readonly IdRange[]): IdMapLine[] {
  let inside = from;
  return ranges.map(({ start, count }) => {
    const line = { inside, outside: start, count: Math.max(0, Math.min(count, LAST_ID - inside + 1)) };
    inside += count;
    return line;
  });
}

/** As many lines as the kernel takes; the last ids of an absurdly split range are given up, not the namespace. */
function fit(lines: readonly IdMapLine[]): IdMapLine[] {
  const kept: IdMapLine[] = [];
  let bytes = 0;
  for (const line of lines.filter(l => l.count > 0).slice(0, MAX_LINES)) {
    bytes += `${line.inside} ${line.outside} ${line.count}\n`.length;
    if (bytes > MAX_BYTES) break;
    kept.push(line);
  }
  return kept;
}

const isRange = (r: IdRange): boolean =>
  Number.isSafeInteger(r.start) &&
  Number.isSafeInteger(r.count) &&
  r.start >= 0 &&
  r.count > 0 &&
  endOf(r) - 1 <= LAST_ID;
const endOf = (r: IdRange | undefined): number => (r ? r.start + r.count : 0);
const show = (r: IdRange | undefined): string => (r ? `${r.start}:${r.count}` : '');
