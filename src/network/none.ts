import { TsboxError } from '../errors.ts';
import type { NetworkDriver } from './driver.ts';
import { namespaceOps } from './netns.ts';

/** A network namespace with nothing but loopback. */
export const none: NetworkDriver = {
  name: 'none',
  probe: async () => ({ ok: true }),
  setup({ ports }) {
    if (ports.length > 0) {
      throw new TsboxError('USAGE', 'ports cannot be published without a network', {
        hint: 'leave out -p, or choose another network than none',
      });
    }
    return { netns: 'new', ops: namespaceOps(), services: [], nameservers: [] };
  },
};
