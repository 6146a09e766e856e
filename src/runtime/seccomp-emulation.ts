import { type Op, ops, optional } from '../plan/ops.ts';

/**
 * What root emulation needs beside its filter. Pure; both are for containers whose record says `rootEmulation`
 * (docs/root-emulation.md).
 *
 * apt becomes the user _apt to download, and checks that it did: a call that only pretends is found out. Its configuration can
 * tell it to stay root. The file is in /dev, which is a tmpfs of the container: the image does not change by it, so
 * that nothing of this is in what commit makes.
 */
const APT_CONFIG = '/dev/tsbox-apt.conf';

/** To be walked before `pivot` and after /dev is mounted. */
export function emulationOps(): Op[] {
  return [
    optional(
      ops.write(
        APT_CONFIG,
        'APT::Sandbox::User "root";\n',
        0o644,
        'apt checks whether it became another user',
      ),
    ),
  ];
}

/** The container's environment with the variable that names the file, unless there is one already. */
export function emulationEnv(env: readonly string[]): string[] {
  return env.some(entry => entry.startsWith('APT_CONFIG=')) ? [...env] : [...env, `APT_CONFIG=${APT_CONFIG}`];
}
