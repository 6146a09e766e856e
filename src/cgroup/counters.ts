import { join } from 'node:path';
import { readMaybe } from './tree.ts';

/** What the kernel counts for a group. Absent: the controller is not enabled there, or the kernel lacks it. */
export interface Counters {
  /** Microseconds of processor time since the group was made. */
  readonly cpuMicroseconds?: number;
  /** Bytes, without the page cache that is not in use, as docker counts. */
  readonly memory?: number;
  /** Bytes; absent also: no limit. */
  readonly memoryLimit?: number;
  readonly read?: number;
  readonly written?: number;
  /** Processes and threads. */
  readonly pids?: number;
  readonly pressure?: Pressure;
}

/** Percent of the last ten seconds in which some process waited for it (Linux: Documentation/accounting/psi). */
export interface Pressure {
  readonly cpu: number;
  readonly memory: number;
  readonly io: number;
}

export function readCounters(path: string): Counters {
  const read = (name: string): string | undefined => readMaybe(join(path, name));
  const cpu = field(read('cpu.stat'), 'usage_usec');
  const limit = Number(read('memory.max'));
  const io = ioBytes(read('io.stat'));
  const pids = Number(read('pids.current'));
  const pressure = pressureOf(read);
  return {
    ...(cpu !== undefined && { cpuMicroseconds: cpu }),
    ...memoryOf(read),
    ...(limit > 0 && { memoryLimit: limit }),
    ...io,
    ...(pids > 0 && { pids }),
    ...(pressure && { pressure }),
  };
}

type Read = (name: string) => string | undefined;

function memoryOf(read: Read): { memory?: number } {
  const current = read('memory.current');
  if (current === undefined) return {};
  const cache = field(read('memory.stat'), 'inactive_file') ?? 0;
  return { memory: Math.max(0, Number(current) - cache) };
}

/** `8:0 rbytes=1 wbytes=2 …`, a line for each device; empty until the first one was used. */
function ioBytes(text: string | undefined): { read?: number; written?: number } {
  if (text === undefined) return {};
  const sum = (key: string): number =>
    [...text.matchAll(new RegExp(`\\b${key}=(\\d+)`, 'g'))].reduce((total, m) => total + Number(m[1]), 0);
  return { read: sum('rbytes'), written: sum('wbytes') };
}

function pressureOf(read: Read): Pressure | undefined {
  const texts = [read('cpu.pressure'), read('memory.pressure'), read('io.pressure')];
  if (texts[0] === undefined) return undefined;
  const [cpu = 0, memory = 0, io = 0] = texts.map(text =>
    Number(/^some avg10=([\d.]+)/m.exec(text ?? '')?.[1] ?? 0),
  );
  return { cpu, memory, io };
}

function field(text: string | undefined, name: string): number | undefined {
  const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}
