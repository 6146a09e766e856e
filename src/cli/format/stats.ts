import type { ContainerStats } from '../../index.ts';
import { humanSize, shortId } from './human.ts';
import type { ListShape, Row } from './list.ts';

/** docker's fields of `stats --format`, the pressure that the kernel measures, and `Source`. */
export const STATS_SHAPE: ListShape = {
  headings: {
    Container: 'CONTAINER',
    ID: 'CONTAINER ID',
    Name: 'NAME',
    CPUPerc: 'CPU %',
    MemUsage: 'MEM USAGE / LIMIT',
    MemPerc: 'MEM %',
    NetIO: 'NET I/O',
    BlockIO: 'BLOCK I/O',
    PIDs: 'PIDS',
    CPUPressure: 'CPU PSI',
    MemPressure: 'MEM PSI',
    IOPressure: 'IO PSI',
    Source: 'SOURCE',
  },
  columns: ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'],
};

/** With columns of pressure where the kernel counts it for one of them. */
export const statsShape = (found: readonly ContainerStats[]): ListShape =>
  found.some(stats => stats.pressure)
    ? { ...STATS_SHAPE, columns: [...STATS_SHAPE.columns, 'CPUPressure', 'MemPressure', 'IOPressure'] }
    : STATS_SHAPE;

export function statsRow(stats: ContainerStats, noTrunc: boolean): Row {
  const { memory, memoryLimit, cpuPercent } = stats;
  const percent = (value: number): string => `${value.toFixed(2)}%`;
  return {
    Container: noTrunc ? stats.id : shortId(stats.id),
    ID: noTrunc ? stats.id : shortId(stats.id),
    Name: stats.name,
    CPUPerc: percent(cpuPercent),
    MemUsage: `${binarySize(memory)} / ${binarySize(memoryLimit)}`,
    MemPerc: percent(memoryLimit > 0 ? (memory / memoryLimit) * 100 : 0),
    NetIO: `${humanSize(stats.received)} / ${humanSize(stats.sent)}`,
    BlockIO: `${humanSize(stats.read)} / ${humanSize(stats.written)}`,
    PIDs: String(stats.pids),
    CPUPressure: pressure(stats.pressure?.cpu),
    MemPressure: pressure(stats.pressure?.memory),
    IOPressure: pressure(stats.pressure?.io),
    Source: stats.source,
  };
}

const pressure = (value: number | undefined): string => (value === undefined ? '' : `${value.toFixed(2)}%`);

/** docker shows memory in powers of 1024: `1.5MiB`. */
export function binarySize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}
