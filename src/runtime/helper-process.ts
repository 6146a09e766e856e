import type { ChildProcess, StdioOptions } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { type Prestarted, takePrestarted, waitingPid } from '../host/prestarted.ts';
import { spawnHelper } from '../host/spawn.ts';
import { FdLink, type Link, StreamLink } from './link.ts';
import { waitProcess } from './process.ts';

/** A helper that runs a command: `supervise` or `join`. */
export interface HelperProcess {
  readonly channel: Link;
  /** Undefined: it could not be started. */
  readonly pid: number | undefined;
  /** Absent for one that was started before us: it has our own streams. */
  readonly child: ChildProcess | undefined;
  /** Passes a signal to the command. */
  signal(number: number): void;
  /** Resolves with the front's status; asked for after the channel's last event. */
  front(): Promise<HelperEnd>;
  /** Resolves when it has ended by itself, after the channel has been closed. */
  gone(): Promise<HelperEnd>;
  /** It stays, and this process can end. */
  letGo(): void;
}

export interface HelperEnd {
  readonly status: number;
  readonly error?: Error;
}

export interface HelperRequest {
  readonly helper: string;
  readonly role: 'supervise' | 'join';
  readonly id: string;
  /** Descriptors 0 to 2 of the front. */
  readonly stdio: StdioOptions;
  readonly front: boolean;
}

type Wanted = Pick<HelperRequest, 'role' | 'stdio' | 'front'>;

const willDo = ({ stdio, front }: Wanted): boolean => stdio === 'inherit' || (stdio === 'ignore' && !front);

/** The process that `startHelper` would take, where one waits already. */
export const waitingHelper = (wanted: Wanted): number | undefined =>
  willDo(wanted) ? waitingPid(wanted.role) : undefined;

/** The one that waits already where that will do, else a new one. */
export function startHelper(request: HelperRequest): HelperProcess {
  const ready = willDo(request) ? takePrestarted(request.role) : undefined;
  return ready ? new Ready(request.helper, ready) : spawned(request);
}

class Ready implements HelperProcess {
  readonly channel: Link;
  readonly child = undefined;
  readonly pid: number;
  readonly #signals: FdLink;
  readonly #helper: string;
  readonly #process: Prestarted;

  constructor(helper: string, process: Prestarted) {
    this.#helper = helper;
    this.#process = process;
    this.pid = process.pid;
    this.channel = new FdLink(process.channel);
    this.#signals = new FdLink(process.signals);
  }

  signal(number: number): void {
    this.#signals.write(Buffer.of(number));
  }

  async front(): Promise<HelperEnd> {
    const said = await this.#signals.read();
    this.#signals.close();
    // Killed, it says nothing.
    return { status: said?.[0] ?? 137 };
  }

  async gone(): Promise<HelperEnd> {
    this.#signals.close();
    await waitProcess(this.#helper, this.#process);
    return { status: 125 };
  }

  letGo(): void {
    this.channel.close();
    this.#signals.close();
  }
}

function spawned({ helper, role, id, stdio, front }: HelperRequest): HelperProcess {
  const streams = Array.isArray(stdio) ? stdio.slice(0, 3) : [stdio, stdio, stdio];
  const child = spawnHelper(helper, [role, id], {
    argv0: 'tsbox:',
    stdio: [...streams, 'pipe', ...(front ? ['pipe' as const] : [])],
  });
  const end = new Promise<HelperEnd>(resolve => {
    child.once('error', error => resolve({ status: 125, error }));
    child.once('exit', (status, signal) => resolve({ status: status ?? (signal === 'SIGKILL' ? 137 : 143) }));
  });
  const channel = new StreamLink(child.stdio[3] as Duplex);
  const pipe = child.stdio[4] as Duplex | undefined;
  // The front's last word is its status, which we have as its parent.
  pipe?.on('error', () => {}).resume();
  return {
    channel,
    child,
    pid: child.pid,
    signal: number => void (pipe && !pipe.destroyed && pipe.write(Buffer.of(number))),
    front: () => end,
    gone: () => end,
    letGo: () => {
      channel.close();
      child.unref();
    },
  };
}
