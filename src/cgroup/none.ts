import type { CgroupDriver } from './driver.ts';

/** No group: the container stays where its starter is, and no limit can be set. */
export const none: CgroupDriver = {
  name: 'none',
  waits: false,
  probe: () => ({ ok: true, controllers: [] }),
  place: async () => undefined,
  admit: async () => {},
};
