import { existsSync } from 'node:fs';
import { ourUid } from './paths.ts';

/** systemd ends everything of a user with the last session unless the user lingers. */
export const sessionsEnd = (): boolean => ourUid() !== 0 && existsSync('/run/systemd/system');

export const lingers = (name: string | undefined): boolean =>
  name !== undefined && existsSync(`/var/lib/systemd/linger/${name}`);
