import { lingers, sessionsEnd } from '../host/linger.ts';
import { ourName } from '../host/subid.ts';
import type { Engine } from './context.ts';
import { warnOncePerBoot } from './warn-once.ts';

/** The first detached container of a user whose processes end with their last session. */
export function warnOfLogout(engine: Engine): void {
  if (!sessionsEnd()) return;
  const name = ourName();
  if (lingers(name)) return;
  warnOncePerBoot(
    engine,
    `systemd may end detached containers when you log out; to keep them: loginctl enable-linger ${name ?? ''}`.trimEnd(),
  );
}
