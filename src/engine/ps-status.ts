import type { ContainerState } from '../store/container-record.ts';
import type { ContainerStatus } from './types.ts';

/** The word that docker shows. */
export function shownStatus(state: ContainerState): ContainerStatus {
  if (state.paused) return 'paused';
  return state.restarting ? 'restarting' : state.status;
}
