import { TsboxError } from '../errors.ts';
import type { NetworkDriver } from './driver.ts';

/**
 * The network of another container, `container:NAME`: both have one user namespace, whose network it is, and everything else each
 * for itself.
 */
export const container: NetworkDriver = {
  name: 'container',
  probe: async () => ({ ok: true }),
  setup({ ports }) {
    if (ports.length > 0) {
      throw new TsboxError('USAGE', "ports cannot be published: the network is another container's", {
        hint: 'publish them on that container',
      });
    }
    return { netns: 'new', ops: [], services: [] };
  },
};
