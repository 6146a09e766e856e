import type { BaseContext } from 'clipanion';
import type { OpenOptions, Tsbox } from '../index.ts';
import type { Output } from './output.ts';

/** The public API without its private parts, so that a test can stand in for it. */
export type Api = Pick<Tsbox, keyof Tsbox>;

/** What the global options, before the verb, said. */
export interface Globals {
  readonly root?: string;
  readonly runtimeDir?: string;
  readonly config?: string;
  readonly debug: boolean;
}

/** Everything a command touches outside itself. */
export interface CliContext extends BaseContext {
  readonly env: Record<string, string | undefined>;
  readonly out: Output;
  readonly err: Output;
  readonly globals: Globals;
  /** Opens the store. The one place where commands meet the engine. */
  open(options: OpenOptions): Promise<Api>;
  isTerminal(fd: 0 | 1 | 2): Promise<boolean>;
  /** Columns and rows of the terminal on that descriptor. */
  terminalSize(fd: 1 | 2): { columns: number; rows: number };
  /** Milliseconds since the epoch. */
  now(): number;
  readonly interrupt: Interrupt;
}

/** Turns the first Ctrl-C (SIGINT, SIGTERM, SIGHUP) into an abort; the second one kills as usual. */
export interface Interrupt {
  /** Starts to listen; the same signal each time. */
  arm(): AbortSignal;
  /** Signals are somebody else's again (the container's). */
  disarm(): void;
  /** A signal ends this process from now on. Unlike after `disarm`, one that has come and was not told yet does, too. */
  fatal(): void;
  /** Number of the signal that came, 0 when none did. */
  readonly signal: number;
}
