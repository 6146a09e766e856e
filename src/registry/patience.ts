import type { Socket } from 'node:net';
import type { HttpRequest } from './http.ts';
import type { NetworkLimits } from './limits.ts';

/** Ends an exchange that stands still for too long. What may take how long: NetworkLimits. */
export class Patience {
  readonly #limits: NetworkLimits;
  readonly #giveUp: (error: Error) => void;
  #timer: NodeJS.Timeout | undefined;
  #code = '';
  /** An answer may come before all was sent. */
  #answered = false;

  constructor(limits: NetworkLimits, giveUp: (error: Error) => void) {
    this.#limits = limits;
    this.#giveUp = giveUp;
  }

  /** Until there is a connection; then until there is an answer. */
  connecting(socket: Socket, request: HttpRequest): void {
    if (socket.connecting) {
      this.#wait(this.#limits.connect, 'CONNECT_TIMEOUT');
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => this.answering(request));
    } else this.answering(request);
  }

  /** Something was sent, or all of it. */
  answering({ patience }: HttpRequest): void {
    if (!this.#answered) this.#wait(patience ?? this.#limits.headers, 'HEADERS_TIMEOUT');
  }

  /** A piece of the body has come, or is wanted again. */
  receiving(): void {
    this.#answered = true;
    if (this.#code === 'BODY_TIMEOUT' && this.#timer) this.#timer.refresh();
    else this.#wait(this.#limits.idle, 'BODY_TIMEOUT');
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(ms: number, code: string): void {
    this.end();
    this.#code = code;
    this.#timer = setTimeout(() => this.#giveUp(Object.assign(new Error(code), { code })), ms);
  }
}
