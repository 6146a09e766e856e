import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { TsboxError } from '../errors.ts';
import { listContainerRecords, readContainerState } from '../store/containers.ts';
import type { Engine } from './context.ts';
import { servedPorts } from './ports-served.ts';

/** "address already in use" of a port, with who has it: a container of ours, or a process that we may look at. */
export async function withHolder(engine: Engine, error: unknown): Promise<unknown> {
  if (!(error instanceof TsboxError) || error.code !== 'PORT') return error;
  const [, number, protocol] =
    /:(\d+)\/(tcp|udp) cannot be published: address already in use$/.exec(error.message) ?? [];
  if (number === undefined || protocol === undefined) return error;
  const container = await containerWith(engine, Number(number), protocol);
  if (container !== undefined)
    return new TsboxError('PORT', `${error.message} by container ${container}`, {
      cause: error,
      hint: `choose another port, or free it: tsbox port rm ${container} …, tsbox stop ${container}`,
    });
  const process = processWith(Number(number), protocol);
  if (process === undefined) return error;
  return new TsboxError('PORT', `${error.message} by ${process}`, {
    cause: error,
    ...(error.hint !== undefined && { hint: error.hint }),
    check: error.check,
  });
}

async function containerWith(engine: Engine, port: number, protocol: string): Promise<string | undefined> {
  for (const record of await listContainerRecords(engine.paths)) {
    if (record.network.ports.length === 0) continue;
    const served = servedPorts(engine, record, await readContainerState(engine.paths, record.id));
    if (served.some(p => p.hostPort === port && p.protocol === protocol)) return record.name;
  }
  return undefined;
}

/** `nginx (pid 42)`: through the inode of the socket in /proc/net and the descriptors of processes that are ours to see. */
function processWith(port: number, protocol: string): string | undefined {
  const inodes = new Set([protocol, `${protocol}6`].flatMap(table => listeners(table, port)));
  if (inodes.size === 0) return undefined;
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    if (!holds(pid, inodes)) continue;
    return `${attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) ?? 'a process'} (pid ${pid})`;
  }
  return undefined;
}

/** Lines of /proc/net/tcp: number, local address:port in hexadecimal, remote, state (0A: listens) …, the tenth field is the inode. */
function listeners(table: string, port: number): string[] {
  const text = attempt(() => readFileSync(`/proc/net/${table}`, 'utf8')) ?? '';
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return text.split('\n').flatMap(line => {
    const fields = line.trim().split(/\s+/);
    const here = fields[1]?.endsWith(`:${wanted}`) && (fields[3] === '0A' || fields[3] === '07');
    return here && fields[9] ? [`socket:[${fields[9]}]`] : [];
  });
}

function holds(pid: string, sockets: ReadonlySet<string>): boolean {
  const names = attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  return names.some(fd => sockets.has(attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? ''));
}

/** Processes come and go, and others' are not ours to look at. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
