import { constants } from 'node:os';
import type { Interrupt } from './context.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Listens only between arm and disarm; otherwise signals have their default meaning and cost nothing. */
export class ProcessInterrupt implements Interrupt {
  /** Made when somebody wants to be told: Node loads what it is made of then. */
  #controller: AbortController | undefined;
  #armed = false;
  #signal = 0;

  get signal(): number {
    return this.#signal;
  }

  arm(): AbortSignal {
    if (!this.#armed) for (const name of SIGNALS) process.on(name, this.#abort);
    this.#armed = true;
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  disarm(): void {
    for (const name of SIGNALS) process.removeListener(name, this.#abort);
    this.#armed = false;
  }

  fatal(): void {
    if (this.#signal > 0) endBy(this.#signal);
    for (const name of SIGNALS) process.once(name, () => endBy(constants.signals[name]));
    this.disarm();
  }

  readonly #abort = (name: NodeJS.Signals): void => {
    this.#signal = constants.signals[name];
    // From here on a second Ctrl-C has its default meaning: whoever insists may kill us.
    this.disarm();
    const reason = new DOMException('This operation was aborted', 'AbortError');
    this.#controller?.abort(Object.assign(reason, { forward: this.#signal }));
  };
}

/** Dies of the signal, so that the parent's wait(2) says it. Without listeners libuv gives it back its default meaning. */
function endBy(signal: number): void {
  for (const name of SIGNALS) process.removeAllListeners(name);
  process.kill(process.pid, signal);
}
