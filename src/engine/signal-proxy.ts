import { constants } from 'node:os';

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
