import { constants } from 'node:os';
import type { AttachOptions } from './types.ts';

/** What a docker client forwards, less what belongs to the client itself (SIGCHLD, SIGPIPE, SIGWINCH, job control). */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const;

/** Passes this process's signals on. Those that come before it is known to whom wait until then. */
export class SignalProxy {
  readonly #early: number[] = [];
  #send = (number: number): void => void this.#early.push(number);

  constructor() {
    for (const signal of FORWARDED) process.on(signal, this.#forward);
  }

  to(send: (number: number) => void): void {
    this.#send = send;
    for (const number of this.#early.splice(0)) send(number);
  }

  stop(): void {
    for (const signal of FORWARDED) process.off(signal, this.#forward);
  }

  readonly #forward = (signal: NodeJS.Signals): void => this.#send(constants.signals[signal]);
}

/** Undefined where the caller's signals are not the command's. */
export const proxyFor = ({ stdio, sigProxy }: AttachOptions): SignalProxy | undefined =>
  stdio !== 'pipe' && sigProxy !== false ? new SignalProxy() : undefined;

/**
 * `launch` calls `begin` before the command may run: then no signal of the caller's is lost between its first word and our
 * knowing of it. The proxy is stopped when `launch` fails.
 */
export async function withProxy<T>(
  attach: AttachOptions,
  launch: (begin: () => void) => Promise<T>,
): Promise<{ launched: T; proxy: SignalProxy | undefined }> {
  let proxy: SignalProxy | undefined;
  try {
    const launched = await launch(() => {
      proxy ??= proxyFor(attach);
    });
    return { launched, proxy };
  } catch (error) {
    proxy?.stop();
    throw error;
  }
}
