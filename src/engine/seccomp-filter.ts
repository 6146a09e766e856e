import { join } from 'node:path';
import { resolveCapabilities } from '../runtime/capabilities.ts';
import { cachedDefaultFilter, emulationFilter, profileFilter } from '../runtime/seccomp.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './context.ts';

/** The filter of a container's processes; undefined only for `seccomp=unconfined` without root emulation. */
export async function seccompFilter(
  engine: Engine,
  record: ContainerRecord,
): Promise<Uint8Array | undefined> {
  const caps = resolveCapabilities({
    add: record.capAdd,
    drop: record.capDrop,
    privileged: record.privileged,
  });
  const options = { caps, rootEmulation: record.rootEmulation };
  switch (record.seccomp) {
    case 'unconfined':
      return record.rootEmulation ? emulationFilter() : undefined;
    case 'default':
      return cachedDefaultFilter(join(engine.paths.runtime, 'seccomp'), options);
    default:
      return profileFilter(record.seccomp, options);
  }
}
