import { TsboxError } from '../errors.ts';
import type { CgroupDriver } from './driver.ts';

/** No group: the container stays where its starter is, and no limit can be set. */
export const none: CgroupDriver = {
  name: 'none',
  probe: async () => ({ ok: true, controllers: [] }),

  async create({ limits }) {
    const [first] = Object.keys(limits);
    if (first === undefined) return undefined;
    throw new TsboxError(
      'HOST',
      `the limit ${first} cannot be enforced: containers have no control group here`,
      {
        hint: 'run tsbox doctor; docs/host-setup.md says how cgroups are delegated',
      },
    );
  },

  async remove() {},
};
