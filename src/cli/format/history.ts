import type { ImageHistoryEntry } from '../../index.ts';
import { ago, ellipsis, humanSize, shortId } from './human.ts';
import type { ListShape, Row } from './list.ts';

/** docker's fields of `history --format`. */
export const HISTORY_SHAPE: ListShape = {
  headings: {
    ID: 'IMAGE',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    CreatedBy: 'CREATED BY',
    Size: 'SIZE',
    Comment: 'COMMENT',
    Tags: 'TAGS',
  },
  columns: ['ID', 'CreatedSince', 'CreatedBy', 'Size', 'Comment'],
};

export interface HistoryOptions {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly noTrunc: boolean;
  /** False: bytes, and times as the image has them. */
  readonly human: boolean;
}

export function historyRow(entry: ImageHistoryEntry, { now, noTrunc, human }: HistoryOptions): Row {
  const { id, created, createdBy, size, comment, tags } = entry;
  // One line for each step, whatever a shell script in it looks like.
  const text = createdBy.replace(/\s+/g, ' ').trim();
  return {
    ID: noTrunc ? id : shortId(id),
    CreatedSince: human ? ago(created, now) : (created ?? ''),
    CreatedAt: created ?? '',
    CreatedBy: noTrunc ? text : ellipsis(text, 45),
    Size: human ? humanSize(size) : String(size),
    Comment: comment,
    Tags: tags.join(','),
  };
}
