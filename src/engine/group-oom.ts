import type { ContainerRecord } from '../store/container-record.ts';
import { readContainerState } from '../store/containers.ts';
import type { Engine } from './context.ts';

const MiB = 1024 * 1024;

/** Who waits for a container's end hears that the kernel has killed something of it. */
export function tellOom(engine: Engine, record: ContainerRecord): void {
  if (!readContainerState(engine.paths, record.id).oom) return;
  const { memory = 0 } = record.limits?.resources ?? {};
  const limit = memory > 0 ? `, its limit is ${Math.floor(memory / MiB)} MiB` : '';
  engine.reporter.warn(`container ${record.name}: the kernel killed a process for lack of memory${limit}`);
}
