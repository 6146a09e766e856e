import { constants } from 'node:os';
import { TsboxError } from '../errors.ts';
import { type ProgramResult, runProgram } from '../host/spawn.ts';
import type { ListenFields } from '../plan/ops.ts';
import { withCleanup } from '../util/cleanup.ts';
import type { PortMapping } from './driver.ts';
import { forwardSocket, listens, parseServed } from './forward.ts';

/** A container that runs, and how its ports are changed. */
export interface LiveContainer {
  readonly helper: string;
  readonly id: string;
  readonly runtimeDir: string;
  /** Its first process, and when that started (clock ticks). */
  readonly pid: number;
  readonly start: number;
}

/** A socket that cannot listen: with the errno, for a sentence that the caller makes. */
export class ListenError extends Error {
  constructor(
    readonly errno: number,
    readonly fields: ListenFields,
  ) {
    super(`errno ${errno}`);
  }
}

const NOBODY = 3;

/** What its forwarder listens for; undefined where no forwarder answers. */
export async function listening(container: LiveContainer): Promise<PortMapping[] | undefined> {
  const { status, stdout } = await call(container, 'list');
  return status === NOBODY ? undefined : parseServed(stdout);
}

/** Starts the forwarder of a container that began without ports, or whose forwarder was killed. It ends with the container. */
export async function startForwarder({ helper, id, pid, start, runtimeDir }: LiveContainer): Promise<void> {
  const socket = forwardSocket(runtimeDir);
  const { status } = await runProgram(helper, ['forward', id, String(pid), String(start), socket]);
  if (status !== 0) throw new TsboxError('PORT', 'the port forwarder of the container cannot be started');
}

/** Listens for a mapping, for all of it or nothing. Resolves with what is published; rejects with ListenError. A forwarder must run. */
export function addPort(container: LiveContainer, port: PortMapping): Promise<PortMapping[]> {
  return withCleanup(async cleanup => {
    const served: PortMapping[] = [];
    for (const fields of listens(port)) {
      const added = await listen(container, fields, served[0]?.hostPort);
      for (const one of added) cleanup.push(() => removePort(container, one));
      served.push(...added);
    }
    return served;
  });
}

/** `same`: the port that the first of a mapping has got. */
async function listen(container: LiveContainer, fields: ListenFields, same?: number): Promise<PortMapping[]> {
  const { flags = '', protocol, ip, inside } = fields;
  const port = flags.includes('s') ? same : undefined;
  const [first, last] = [port ?? fields.first, port ?? fields.last];
  const args = [protocol, ip, first, last, inside, flags.includes('p') ? 'p' : '-'].map(String);
  const { status, stdout } = await call(container, 'add', ...args);
  if (status === 0) return parseServed(stdout);
  if (excused(flags, Number(stdout))) return [];
  throw new ListenError(Number(stdout), fields);
}

/** Ends listening; connections go on. False when nobody listened there. */
export async function removePort(container: LiveContainer, port: PortMapping): Promise<boolean> {
  const { protocol, hostIp, hostPort, containerPort } = port;
  const done = await call(container, 'rm', protocol, hostIp, String(hostPort), String(containerPort));
  return done.status === 0;
}

const { EAFNOSUPPORT, EADDRNOTAVAIL, EADDRINUSE } = constants.errno;

/** Nobody asked for IPv6 in so many words: the machine may have none, or somebody may have the port there. As OP(listen) in helpers/ports/listen.c. */
const excused = (flags: string, errno: number): boolean =>
  flags.includes('6') &&
  (errno === EAFNOSUPPORT || errno === EADDRNOTAVAIL || (errno === EADDRINUSE && flags.includes('s')));

const call = ({ helper, runtimeDir }: LiveContainer, ...args: readonly string[]): Promise<ProgramResult> =>
  runProgram(helper, ['port', forwardSocket(runtimeDir), ...args]);
