import type { ImageSummary } from '../../index.ts';
import { ago, goTime, humanSize, shortId } from './human.ts';
import type { ListShape, Row } from './list.ts';

/** docker's fields of `images --format`. */
export const IMAGE_SHAPE: ListShape = {
  headings: {
    ID: 'IMAGE ID',
    Repository: 'REPOSITORY',
    Tag: 'TAG',
    Digest: 'DIGEST',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    Size: 'SIZE',
  },
  columns: ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size'],
};

const NONE = '<none>';

/** One row for each name of an image; `<none>` where there is none. */
export function imageRows(image: ImageSummary, options: { now: number; noTrunc: boolean }): Row[] {
  const names = image.names.length > 0 ? image.names.map(familiar) : [{ repository: NONE, tag: NONE }];
  return names.map(({ repository, tag }) => ({
    ID: options.noTrunc ? image.id : shortId(image.id),
    Repository: repository,
    Tag: tag,
    Digest: digestOf(image, repository),
    CreatedSince: ago(image.created, options.now),
    // A getter: the local time zone takes milliseconds to load, and the table does not show it.
    get CreatedAt() {
      return goTime(image.created);
    },
    Size: humanSize(image.size),
  }));
}

/** docker.io's own names without their prefix, as users type them. */
export const familiarName = (name: string): string =>
  name.replace(/^docker\.io\//, '').replace(/^library\/(?=[^/]+$)/, '');

function familiar(name: string): { repository: string; tag: string } {
  const colon = name.lastIndexOf(':');
  const tagged = colon > name.lastIndexOf('/');
  return {
    repository: familiarName(tagged ? name.slice(0, colon) : name),
    tag: tagged ? name.slice(colon + 1) : NONE,
  };
}

function digestOf(image: ImageSummary, repository: string): string {
  const found = image.digests.find(digest => familiarName(digest.split('@', 1)[0] ?? '') === repository);
  return (found ?? image.digests[0])?.split('@')[1] ?? NONE;
}
