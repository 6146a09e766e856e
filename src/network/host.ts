import type { NetworkDriver } from './driver.ts';

/** The machine's own network. Published ports mean nothing: what the container binds is on the machine already. */
export const host: NetworkDriver = {
  name: 'host',
  probe: async () => ({ ok: true }),
  setup: () => ({ netns: 'host', ops: [], services: [] }),
};
