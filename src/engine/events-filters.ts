import { TsboxError } from '../errors.ts';
import type { EventRecord } from '../store/events.ts';
import { suggest } from '../util/suggest.ts';
import type { Filters } from './types.ts';

type Match = (event: EventRecord, value: string) => boolean;

/** An id or its beginning, or the name. */
const isObject =
  (type: EventRecord['type']): Match =>
  (event, value) =>
    event.type === type && (event.id.startsWith(value) || event.attributes.name === value);

const FILTERS: Readonly<Record<string, Match>> = {
  container: isObject('container'),
  // As docker's: of containers made from it, too.
  image: (event, value) =>
    event.attributes.image === value || isObject('image')(event, value) || event.id === `sha256:${value}`,
  volume: isObject('volume'),
  network: isObject('network'),
  type: (event, value) => event.type === value,
  // `health_status: healthy` also by its first word.
  event: (event, value) => event.action === value || event.action.split(':')[0] === value,
  scope: (_, value) => value === 'local',
  label: (event, value) => {
    const at = value.indexOf('=');
    const key = at < 0 ? value : value.slice(0, at);
    const found = event.attributes[key];
    return found !== undefined && (at < 0 || found === value.slice(at + 1));
  },
};

/** docker's keys; values of one key are alternatives, but all labels must be there. Throws USAGE. */
export function compileEventFilters(filters: Filters): (event: EventRecord) => boolean {
  const keys = Object.entries(filters).map(([key, values]) => {
    const match = Object.hasOwn(FILTERS, key) ? FILTERS[key] : undefined;
    if (!match) throw unknown(key);
    return (event: EventRecord): boolean =>
      key === 'label' ? values.every(v => match(event, v)) : values.some(v => match(event, v));
  });
  return event => keys.every(matches => matches(event));
}

function unknown(key: string): TsboxError {
  const near = suggest(key, Object.keys(FILTERS));
  return new TsboxError('USAGE', `invalid filter '${key}'`, {
    hint: near === undefined ? `filters are: ${Object.keys(FILTERS).join(', ')}` : `did you mean '${near}'?`,
  });
}
