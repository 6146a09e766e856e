import type { ChildProcess, StdioOptions } from 'node:child_process';
import { TsboxError } from '../errors.ts';
import type { Op, Service } from '../plan/ops.ts';
import { Channel, type FileAnswer, type HelperEvent, type Trace } from './channel.ts';
import { earlyFirst, keepModel, modelOf } from './early.ts';
import { describeFailure } from './failure.ts';
import { type Header, requestRecords, resumeRecords } from './header.ts';
import { type HelperProcess, startHelper } from './helper-process.ts';

export interface LaunchPlan {
  readonly role: 'supervise' | 'join';
  readonly header: Header;
  /** Part one; its last operation is `barrier`. */
  readonly init: readonly Op[];
  readonly services?: readonly Service[];
  readonly trace?: Trace;
  /** The file in which the next launch of a command finds what may be made early. */
  readonly model?: string;
  /** Gives the helper, which waits for its request, a control group for the command; what it throws ends the launch. */
  readonly enroll?: (helper: number) => Promise<string | undefined>;
  /**
   * Part two, made when init is at its barrier and every `ready` service is: gets the files that the barrier named, and what
   * each service said when it was ready.
   * Publishes ports and the like; what it throws ends the container.
   */
  readonly resume: (
    files: ReadonlyMap<string, FileAnswer>,
    ready: ReadonlyMap<string, string>,
  ) => Promise<readonly Op[]> | readonly Op[];
}

export interface Ended {
  readonly exitCode: number;
  readonly detached: boolean;
  /** The supervisor said that the command has ended. False when its front was killed or left: it may run on. */
  readonly exited: boolean;
}

/** A command that has been executed. */
export interface Launched {
  readonly pid: number;
  /** Clock ticks since boot. */
  readonly start: number;
  /** Absent where the command has this process's own streams. */
  readonly child: ChildProcess | undefined;
  /** Resolves when the front has ended; at once for a detached launch, whose front does not exist. */
  readonly ended: Promise<Ended>;
  /** Passes a signal to the command. */
  signal(number: number): void;
}

/**
 * Sends a plan to a helper and follows it to `started`. Rejects with the sentence for the step that failed; then nothing
 * is left running. `stdio` are descriptors 0 to 2 of the front.
 */
export async function launch(helper: string, plan: LaunchPlan, stdio: StdioOptions): Promise<Launched> {
  const front = plan.header.front !== undefined;
  const process = startHelper({ helper, role: plan.role, id: plan.header.id, stdio, front });
  const channel = new Channel(process.channel, plan.trace);
  const services = earlyFirst(plan.services ?? []);
  try {
    const header = plan.enroll ? await enrolled(plan, plan.enroll, process) : plan.header;
    const model = plan.model === undefined ? undefined : modelOf(header, services);
    channel.send(requestRecords(header, plan.init, services, model?.word));
    if (model && plan.model !== undefined && process.child === undefined) keepModel(plan.model, model);
    const started = await follow(channel, plan, process);
    if (!front) process.letGo();
    const ended = front ? outcome(channel, process) : Promise.resolve(UNATTENDED);
    return { ...started, child: process.child, ended, signal: n => process.signal(n) };
  } catch (error) {
    // The helper ends by itself once its channel is closed; wait, so that what follows finds nothing in use.
    channel.close();
    await process.gone();
    throw error;
  }
}

/** The header with the control group that the helper was given. */
export async function enrolled(
  { header }: LaunchPlan,
  enroll: (helper: number) => Promise<string | undefined>,
  { pid }: HelperProcess,
): Promise<Header> {
  const cgroup = pid === undefined ? undefined : await enroll(pid);
  return cgroup === undefined ? header : { ...header, cgroup };
}

const UNATTENDED: Ended = { exitCode: 0, detached: true, exited: false };

/** Up to `started`; rejects with the sentence for the step that failed. */
export async function follow(
  channel: Channel,
  plan: LaunchPlan,
  process: HelperProcess,
): Promise<{ pid: number; start: number }> {
  const waiting = new Set((plan.services ?? []).filter(s => s.ready).map(s => s.name));
  if (plan.header.holder) waiting.add('network');
  const ready = new Map<string, string>();
  let files: ReadonlyMap<string, FileAnswer> | undefined;
  let sent: readonly Op[] | undefined;
  for (let event = await channel.next(); event; event = await channel.next()) {
    if (event.type === 'started') return event;
    if (event.type === 'prepared') files = event.files;
    else if (event.type === 'service') serviceEvent(event, waiting, ready);
    else if (event.type === 'failed') throw failed(event, plan, sent ?? []);
    if (files && waiting.size === 0 && !sent) {
      sent = await plan.resume(files, ready);
      channel.send(resumeRecords(sent));
    }
  }
  channel.close();
  throw await endedEarly(process);
}

function serviceEvent(
  event: HelperEvent & { type: 'service' },
  waiting: Set<string>,
  ready: Map<string, string>,
): void {
  if (event.ready) {
    waiting.delete(event.name);
    ready.set(event.name, event.detail);
    return;
  }
  if (event.name === 'network')
    throw new TsboxError('NETWORK', `the network cannot be set up: ${event.detail}`, {
      check: 'uplink-failed',
    });
  const storage = event.name === 'fuse-overlayfs';
  throw new TsboxError(
    storage ? 'STORAGE' : 'NETWORK',
    `${event.name} ended before the container could start: ${event.detail}`,
    {
      hint: storage ? 'try --storage-driver overlay or vfs' : 'try --network none or host',
      check: storage ? 'fuse-overlayfs-failed' : 'uplink-failed',
    },
  );
}

function failed(
  event: HelperEvent & { type: 'failed' },
  plan: LaunchPlan,
  resume: readonly Op[],
): TsboxError {
  const service = plan.services?.find(s => s.name === event.plan);
  const ops = event.plan === 'resume' ? resume : event.plan === 'init' ? plan.init : (service?.ops ?? []);
  return describeFailure({ ...event, ops });
}

async function endedEarly(process: HelperProcess): Promise<TsboxError> {
  const { status, error } = await process.gone();
  return new TsboxError('LAUNCH', `the helper ended before the command started (status ${status})`, {
    ...(error && { cause: error }),
    hint: 'was it killed? Run again with --debug',
  });
}

/**
 * The front's end is the end: it is the last to leave when the command has ended, and leaves alone when the user typed the
 * detach keys or its output has nobody to read it (SIGPIPE). What was said before is in the channel by then.
 */
async function outcome(channel: Channel, process: HelperProcess): Promise<Ended> {
  const event = await lastEvent(channel);
  const { status } = await process.front();
  channel.close();
  const detached = event?.type === 'detached';
  const exited = event?.type === 'exited';
  return { exitCode: detached ? 0 : exited ? event.code : status, detached, exited };
}

async function lastEvent(channel: Channel): Promise<HelperEvent | undefined> {
  for (let event = await channel.next(); event; event = await channel.next()) {
    if (event.type === 'exited' || event.type === 'detached' || event.type === 'left') return event;
  }
  return undefined;
}
