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
  const tests = await Promise.all(Object.entries(options.filters ?? {}).map(f => testFor(engine, ...f)));
  if (options.reference !== undefined) tests.push(matchesName([options.reference]));
  const records = (await imageStore(engine).list()).filter(image => tests.every(test => test(image)));
  return records.map(summary).sort((a, b) => b.created.localeCompare(a.created));
}

function summary(image: ImageRecord): ImageSummary {
  return {
    id: image.id,
    names: image.names.map(name => familiarReference(parseReference(name))),
    digests: image.digests.map(name => familiarReference(parseReference(name))),
    created: image.created,
    size: image.size,
    labels: image.config.config.Labels ?? {},
  };
}

async function testFor(engine: Engine, key: string, values: readonly string[]): Promise<Test> {
  if (key === 'dangling') return isDangling(values);
  if (key === 'reference') return matchesName(values);
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

/** Patterns with `*` and `?` (neither crosses a slash), against the familiar repository with and without its tag, and the full name. */
function matchesName(patterns: readonly string[]): Test {
  const tests = patterns.map(glob);
  return image =>
    image.names.some(name => {
      const ref = parseReference(name);
      const forms = [familiarReference(ref), familiarName(ref), name, name.slice(0, name.lastIndexOf(':'))];
      return tests.some(test => forms.some(form => test.test(form)));
    });
}

function glob(pattern: string): RegExp {
  const parts = [...pattern].map(c =>
    c === '*' ? '[^/]*' : c === '?' ? '[^/]' : c.replace(/[^\w]/, '\\$&'),
  );
  return new RegExp(`^${parts.join('')}$`, 'u');
}
