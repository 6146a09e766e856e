import { constants } from 'node:os';
import { TsboxError } from '../errors.ts';
import { type ProgramResult, runProgram } from '../host/spawn.ts';
import type { ListenFields } from '../plan/ops.ts';
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

/** Does its forwarder answer? */
export async function forwarderAnswers(container: LiveContainer): Promise<boolean> {
  return (await call(container, 'list')).status !== NOBODY;
}

/** Starts the forwarder of a container that began without ports, or whose forwarder was killed. It ends with the container. */
export async function startForwarder({ helper, id, pid, start, runtimeDir }: LiveContainer): Promise<void> {
  const socket = forwardSocket(runtimeDir);
  const { status } = await runProgram(helper, ['forward', id, String(pid), String(start), socket]);
  if (status !== 0) throw new TsboxError('PORT', 'the port forwarder of the container cannot be started');
}

/** Listens for a mapping. Resolves with what is published; rejects with ListenError. A forwarder must run. */
export async function addPort(container: LiveContainer, port: PortMapping): Promise<PortMapping[]> {
  const served: PortMapping[] = [];
  for (const fields of listens(port)) {
    const { flags = '' } = fields;
    const same = flags.includes('s') ? served[0]?.hostPort : undefined;
    const [first, last] = same === undefined ? [fields.first, fields.last] : [same, same];
    const { protocol, ip, inside } = fields;
    const args = [protocol, ip, first, last, inside, flags.includes('p') ? 'p' : '-'].map(String);
    const { status, stdout } = await call(container, 'add', ...args);
    if (status === 0) served.push(...parseServed(stdout));
    else if (!excused(flags, Number(stdout))) throw new ListenError(Number(stdout), fields);
  }
  return served;
}

/** Ends listening; connections go on. False when nobody listened there. */
export async function removePort(container: LiveContainer, port: PortMapping): Promise<boolean> {
  const { protocol, hostIp, hostPort, containerPort } = port;
  const done = await call(container, 'rm', protocol, hostIp, String(hostPort), String(containerPort));
  return done.status === 0;
}

const { EAFNOSUPPORT, EADDRNOTAVAIL } = constants.errno;

/** No IPv6 on this machine: nobody asked for it in so many words. */
const excused = (flags: string, errno: number): boolean =>
  flags.includes('6') && (errno === EAFNOSUPPORT || errno === EADDRNOTAVAIL);

const call = ({ helper, runtimeDir }: LiveContainer, ...args: readonly string[]): Promise<ProgramResult> =>
  runProgram(helper, ['port', forwardSocket(runtimeDir), ...args]);
