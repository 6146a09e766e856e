import { TsboxError } from '../errors.ts';
import { familiarName, familiarReference, parseReference } from '../oci/reference.ts';
import type { ImageRecord } from '../store/images.ts';
import type { Engine } from './context.ts';
import { findImage, imageStore } from './find-image.ts';
import type { Filters, ImageSummary } from './types.ts';

export interface ImagesOptions {
  /** Nothing is hidden here (there are no intermediate images); accepted for docker's sake. */
  readonly all?: boolean;
  readonly filters?: Filters;
  /** Only this repository, or this name with its tag. */
  readonly reference?: string;
}

type Test = (image: ImageRecord) => boolean;

/** docker images: newest first. Filters: `dangling`, `reference`, `label`, `before`, `since`. Throws USAGE for another. */
export async function images(engine: Engine, options: ImagesOptions = {}): Promise<ImageSummary[]> {
  const { reference: patterns = [], ...others } = options.filters ?? {};
  const tests = await Promise.all(Object.entries(others).map(f => testFor(engine, ...f)));
  const named = [patterns, options.reference === undefined ? [] : [options.reference]];
  const shown = (image: ImageRecord) => named.reduce(namesLike, image.names);
  const isWanted = (image: ImageRecord) =>
    tests.every(test => test(image)) && (named.flat().length === 0 || shown(image).length > 0);
  const records = (await imageStore(engine).list()).filter(isWanted);
  return records
    .map(image => summary(image, shown(image)))
    .sort((a, b) => b.created.localeCompare(a.created));
}

function summary(image: ImageRecord, names: readonly string[]): ImageSummary {
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
  if (key === 'label') return hasLabel(values);
  if (key !== 'before' && key !== 'since') {
    throw new TsboxError('USAGE', `images has no filter ${JSON.stringify(key)}`, {
      hint: 'filters are: before, dangling, label, reference, since',
    });
  }
  const others = await Promise.all(values.map(value => findImage(engine, value)));
  const sign = key === 'before' ? -1 : 1;
  return image => others.some(other => sign * image.created.localeCompare(other.created) > 0);
}

function isDangling(values: readonly string[]): Test {
  const wanted = values.map(value => {
    if (/^(?:1|true)$/i.test(value)) return true;
    if (/^(?:0|false)$/i.test(value)) return false;
    throw new TsboxError('USAGE', `invalid value for the filter dangling: ${JSON.stringify(value)}`, {
      hint: 'it is true or false',
    });
  });
  return image => wanted.includes(image.names.length === 0);
}

function hasLabel(values: readonly string[]): Test {
  return ({ config }) =>
    values.every(value => {
      const [name = '', ...text] = value.split('=');
      const found = config.config.Labels?.[name];
      return text.length === 0 ? found !== undefined : found === text.join('=');
    });
}

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
