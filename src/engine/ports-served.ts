import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PortMapping } from '../network/driver.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { containerRuntimeDir } from './container-paths.ts';
import type { Engine } from './context.ts';

/**
 * What is published while a container runs, with real addresses and ports: `ports.json` in its runtime directory, written at each
 * start and by `port add` and `port rm`. The record has what was asked for.
 */
export function servedPorts(
  engine: Engine,
  record: ContainerRecord,
  state: Pick<ContainerState, 'status'>,
): readonly PortMapping[] {
  if (state.status !== 'running' || record.network.ports.length === 0) return [];
  return readServed(engine, record.id) ?? record.network.ports.map(everywhere);
}

export function writeServed(engine: Engine, id: string, ports: readonly PortMapping[]): void {
  const path = fileOf(engine, id);
  writeFileSync(`${path}.new`, `${JSON.stringify({ version: 1, ports })}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** A container that an older tsbox started has no such file; its ports are fixed. */
function readServed(engine: Engine, id: string): readonly PortMapping[] | undefined {
  try {
    const { ports } = JSON.parse(readFileSync(fileOf(engine, id), 'utf8')) as { ports?: PortMapping[] };
    return Array.isArray(ports) ? ports : undefined;
  } catch {
    return undefined;
  }
}

const everywhere = (port: PortMapping): PortMapping =>
  port.hostIp === '' ? { ...port, hostIp: '0.0.0.0' } : port;

const fileOf = (engine: Engine, id: string): string => join(containerRuntimeDir(engine, id), 'ports.json');
