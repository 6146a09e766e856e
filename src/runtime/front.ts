import type { ChildProcess, StdioOptions } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { spawnHelper } from '../host/spawn.ts';
import type { Ended, Launched } from './launch.ts';

export interface FrontRequest {
  readonly helper: string;
  readonly id: string;
  /** Absolute path of the supervisor's socket. */
  readonly socket: string;
  /** Letters of `ioe`. */
  readonly streams: string;
  readonly detachKeys: Uint8Array;
  readonly stdio: StdioOptions;
}

/** What the `attach` role says on its channel (docs/helper-protocol.md): how it ended otherwise than with the container. */
const WORDS = ['detached', 'nobody', 'vanished'] as const;

/** `nobody`: no supervisor has taken us. `vanished`: it had, and went without a status. */
export type Lost = 'nobody' | 'vanished';

export interface FrontEnded extends Ended {
  /** Then the exit code is nobody's. */
  readonly lost?: Lost;
}

export interface AttachFront extends Pick<Launched, 'signal'> {
  readonly child: ChildProcess;
  readonly ended: Promise<FrontEnded>;
}

/** Connects to a running container through its supervisor's socket (`tsbox: attach`). */
export function attachFront(request: FrontRequest): AttachFront {
  const keys = Buffer.from(request.detachKeys).toString('hex');
  const args = ['attach', request.id.slice(0, 12), request.socket, request.streams, ...(keys ? [keys] : [])];
  const stdio = Array.isArray(request.stdio)
    ? request.stdio.slice(0, 3)
    : [request.stdio, request.stdio, request.stdio];
  const child = spawnHelper(request.helper, args, { argv0: 'tsbox:', stdio: [...stdio, 'pipe', 'pipe'] });
  const pipe = child.stdio[4] as Duplex;
  // It says its status there, too; a signal for one that has just ended is an EPIPE.
  pipe.on('error', () => {}).resume();
  const said = firstWord(child.stdio[3] as Duplex);
  const ended = new Promise<FrontEnded>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', async (status, signal) =>
      resolve(endOf(await said, status ?? (signal === 'SIGKILL' ? 137 : 143))),
    );
  });
  return { child, ended, signal: n => void (pipe.destroyed || pipe.write(Buffer.of(n))) };
}

function endOf(said: string, status: number): FrontEnded {
  const word = WORDS.find(each => said.includes(each));
  if (word === 'detached') return { exitCode: 0, detached: true, exited: false };
  return { exitCode: status, detached: false, exited: false, ...(word && { lost: word }) };
}

/** Everything the helper said on its channel: one of its words, or nothing. */
async function firstWord(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } catch {
    // A killed helper resets the channel; what it had said is all there is.
  }
  return Buffer.concat(chunks).toString('latin1');
}
