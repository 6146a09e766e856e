import { closeSync, fstatSync } from 'node:fs';
import { takeEnvironment } from './paths.ts';
import { processStart } from './probe.ts';

/**
 * A helper that the start-up script (src/cli/boot.sh) started while Node did, or the single file before it loaded the program: it waits for its
 * request, has our descriptors 0 to 2, and costs neither a fork of Node nor node:child_process, which is the slowest module that a short command needs.
 */
export interface Prestarted {
  readonly role: string;
  /** Descriptors: the channel, and the signal pipe, on which its front says its status at its end. */
  readonly channel: number;
  readonly signals: number;
  readonly pid: number;
  readonly start: number;
}

/** Set by `tsbox-helper boot` and src/exe/early.ts: role, channel, signal pipe, pid. */
export const BOOT_VARIABLE = 'TSBOX_BOOT';

let known: { helper: Prestarted | undefined } | undefined;

function find(): Prestarted | undefined {
  const text = takeEnvironment(BOOT_VARIABLE);
  const [role = '', ...numbers] = (text ?? '').split(' ');
  const [channel = -1, signals = -1, pid = -1] = numbers.map(Number);
  const start = pid > 0 ? processStart(pid) : undefined;
  if (start === undefined || !isSocket(channel) || !isSocket(signals)) return undefined;
  return { role, channel, signals, pid, start };
}

function isSocket(fd: number): boolean {
  try {
    return fd > 2 && fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}

/** The waiting helper, if it has this role; once. */
export function takePrestarted(role: string): Prestarted | undefined {
  known ??= { helper: find() };
  const { helper } = known;
  if (helper?.role !== role) return undefined;
  known = { helper: undefined };
  return helper;
}

/** Its process, which stays where it is; undefined where none with this role waits. */
export function waitingPid(role: string): number | undefined {
  known ??= { helper: find() };
  return known.helper?.role === role ? known.helper.pid : undefined;
}

/** Lets it go, before anything else is started: a child would inherit its channel and keep it waiting for ever. */
export function dropPrestarted(): void {
  known ??= { helper: find() };
  const { helper } = known;
  known = { helper: undefined };
  if (helper) for (const fd of [helper.channel, helper.signals]) closeSync(fd);
}
