import type { Kind, Place } from './values.ts';

/** Verbs that want containers in one state; the others take any. */
const STATES: Readonly<Record<string, Kind>> = {
  attach: 'running',
  exec: 'running',
  kill: 'running',
  pause: 'running',
  port: 'running',
  start: 'ended',
  stop: 'running',
  top: 'running',
  unpause: 'paused',
  wait: 'running',
};

/** What the operand at `index` of a verb can be, by the placeholders of its help (`NETWORK CONTAINER`). */
export function operandPlace(verb: string, operands: string, index: number): Place {
  if (verb === 'cp') return { kinds: ['containers', 'files'], suffix: ':' };
  if (verb === 'port' && index === 0) return { kinds: ['running'], words: ['add', 'rm'] };
  if (verb === 'port') return index === 1 ? { kinds: ['running'] } : {};
  const places = operands
    .replace(/ \| /g, '|')
    .split(' ')
    .filter(word => word !== '' && word !== '[OPTIONS]');
  const last = places.at(-1);
  const word = places[index] ?? (last?.includes('...') ? last : undefined);
  return word === undefined ? {} : placeOf(verb, word);
}

function placeOf(verb: string, placeholder: string): Place {
  const word = placeholder.replace(/[[\]]|\.\.\./g, '');
  if (word.startsWith('CONTAINER')) return { kinds: [STATES[verb] ?? 'containers'] };
  if (word === 'NAME|ID') return { kinds: ['containers', 'images', 'volumes', 'networks'] };
  if (/^(IMAGE|SOURCE_IMAGE|NAME:TAG|REPOSITORY)/.test(word)) return imagePlace(verb);
  if (word === 'VOLUME') return verb === 'volume create' ? {} : { kinds: ['volumes'] };
  if (word === 'NETWORK') return verb === 'network create' ? {} : { kinds: ['networks'] };
  if (word.startsWith('FILE')) return { kinds: ['files'] };
  if (word.startsWith('PATH')) return { kinds: ['directories'] };
  return /^[a-z|]+$/.test(word) ? { words: word.split('|') } : {};
}

const imagePlace = (verb: string): Place => ({
  kinds: ['images'],
  ...(verb === 'run' || verb === 'create' ? { words: ['host'] } : {}),
});
