import type { ContainerSummary } from '../../index.ts';
import type { Api } from '../context.ts';
import type { Candidate } from './answer.ts';
import type { Kind } from './values.ts';

const STATES: Partial<Record<Kind, (container: ContainerSummary) => boolean>> = {
  running: ({ status }) => status === 'running',
  paused: ({ status }) => status === 'paused',
  ended: ({ status }) => status !== 'running' && status !== 'paused',
};

/** The names of what there is of a kind, as one types them. */
export async function namesOf(tsbox: Api, kind: Kind): Promise<Candidate[]> {
  if (kind === 'images') return (await tsbox.images()).flatMap(image => image.names.map(imageName));
  if (kind === 'volumes') {
    const named = (await tsbox.volumes()).filter(volume => !volume.anonymous);
    return named.map(({ name }) => ({ word: name, about: 'volume' }));
  }
  if (kind === 'networks')
    return (await tsbox.networks()).map(({ name, driver }) => ({ word: name, about: `network, ${driver}` }));
  if (kind === 'files' || kind === 'directories') return [];
  const all = await tsbox.containers({ all: true });
  return all
    .filter(STATES[kind] ?? (() => true))
    .map(({ name, image, status }) => ({ word: name, about: `${image}, ${status}` }));
}

/** `alpine` says what `alpine:latest` says. */
const imageName = (name: string): Candidate => ({ word: name.replace(/:latest$/, ''), about: 'image' });
