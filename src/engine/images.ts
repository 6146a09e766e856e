import { familiarName, familiarReference, parseReference } from '../oci/reference.ts';
import type { ImageRecord } from '../store/images.ts';
import type { Engine } from './context.ts';
import { findImage, imageStore } from './find-image.ts';
import { booleanFilter, checkFilterKeys, hasLabels, madeBefore } from './object-filters.ts';
import type { Filters, ImageSummary } from './types.ts';

export interface ImagesOptions {
  /** Nothing is hidden here (there are no intermediate images); accepted for docker's sake. */
  readonly all?: boolean;
  readonly filters?: Filters;
  /** Only this repository, or this name with its tag. */
  readonly reference?: string;
}

type Test = (image: ImageRecord) => boolean;

const FILTERS = ['before', 'dangling', 'label', 'reference', 'since', 'until'];

/** docker images: newest first. Throws USAGE for an unknown filter or value, NOT_FOUND for `before` and `since` of nobody. */
export async function images(engine: Engine, options: ImagesOptions = {}): Promise<ImageSummary[]> {
  checkFilterKeys('images', options.filters ?? {}, FILTERS);
  const { reference: patterns = [], ...others } = options.filters ?? {};
  const tests = await Promise.all(Object.entries(others).map(f => testFor(engine, ...f)));
  const named = [patterns, options.reference === undefined ? [] : [options.reference]];
  const shown = (image: ImageRecord) => named.reduce(namesLike, image.names);
  const isWanted = (image: ImageRecord) =>
    tests.every(test => test(image)) && (named.flat().length === 0 || shown(image).length > 0);
  const records = (await imageStore(engine).list()).filter(isWanted);
  return records
    .map(image => summarizeImage(image, shown(image)))
    .sort((a, b) => compareTimes(b.created, a.created));
}

/** With all its names, or those that were asked for. */
export function summarizeImage(image: ImageRecord, names: readonly string[] = image.names): ImageSummary {
  return {
    id: image.id,
    names: names.map(name => familiarReference(parseReference(name))),
    digests: image.digests.map(name => familiarReference(parseReference(name))),
    created: image.created,
    size: image.size,
    labels: image.config.config.Labels ?? {},
  };
}

async function testFor(engine: Engine, key: string, values: readonly string[]): Promise<Test> {
  if (key === 'dangling') return isDangling(values);
  if (key === 'label') return ({ config }) => hasLabels(config.config.Labels ?? {}, values);
  if (key === 'until') {
    const isOld = madeBefore(values, Date.now());
    return ({ created }) => isOld(created);
  }
  const others = await Promise.all(values.map(value => findImage(engine, value)));
  const sign = key === 'before' ? -1 : 1;
  return image => others.some(other => sign * compareTimes(image.created, other.created) > 0);
}

function isDangling(values: readonly string[]): Test {
  const wanted = values.map(value => booleanFilter('dangling', value));
  return image => wanted.includes(image.names.length === 0);
}

/** Times of images may be in any zone. */
const compareTimes = (a: string, b: string): number => Date.parse(a) - Date.parse(b) || a.localeCompare(b);

/**
 * Those of the names that match one of the patterns (`*` and `?`, neither crosses a slash), as the whole or the familiar name, with
 * or without tag. All of them when there is no pattern.
 */
function namesLike(names: readonly string[], patterns: readonly string[]): readonly string[] {
  if (patterns.length === 0) return names;
  const tests = patterns.map(glob);
  return names.filter(name => {
    const ref = parseReference(name);
    const forms = [familiarReference(ref), familiarName(ref), name, name.slice(0, name.lastIndexOf(':'))];
    return tests.some(test => forms.some(form => test.test(form)));
  });
}

function glob(pattern: string): RegExp {
  const parts = [...pattern].map(c => {
    if (c === '*') return '[^/]*';
    return c === '?' ? '[^/]' : c.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 'u');
}
