import { join } from 'node:path';
import { capabilityBit, resolveCapabilities } from '../runtime/capabilities.ts';
import { cachedDefaultFilter, cachedProfileFilter, emulationFilter } from '../runtime/seccomp.ts';
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
  const cache = join(engine.paths.runtime, 'seccomp');
  // The filter alone: the calls that make and fill namespaces. What they may do is still for capabilities to say.
  const options = {
    caps: record.nestedUserns ? caps | capabilityBit('SYS_ADMIN') : caps,
    rootEmulation: record.rootEmulation,
  };
  switch (record.seccomp) {
    case 'unconfined':
      return record.rootEmulation ? emulationFilter() : undefined;
    case 'default':
      return cachedDefaultFilter(cache, options);
    default:
      return cachedProfileFilter(cache, record.seccomp, options);
  }
}
