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

/** Statuses by which the `attach` role tells what is no status of the container (docs/helper-protocol.md). */
const DETACHED = 'detached';

/** Connects to a running container through its supervisor's socket (`tsbox: attach`). */
export function attachFront(
  request: FrontRequest,
): Pick<Launched, 'ended' | 'signal'> & { child: ChildProcess } {
  const keys = Buffer.from(request.detachKeys).toString('hex');
  const args = ['attach', request.id.slice(0, 12), request.socket, request.streams, ...(keys ? [keys] : [])];
  const stdio = Array.isArray(request.stdio)
    ? request.stdio.slice(0, 3)
    : [request.stdio, request.stdio, request.stdio];
  const child = spawnHelper(request.helper, args, { argv0: 'tsbox:', stdio: [...stdio, 'pipe', 'pipe'] });
  (child.stdio[4] as Duplex).resume(); // it says its status there, too
  const said = firstWord(child.stdio[3] as Duplex);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', async (status, signal) => {
      const detached = (await said).includes(DETACHED);
      resolve({
        exitCode: detached ? 0 : (status ?? (signal === 'SIGKILL' ? 137 : 143)),
        detached,
        exited: false,
      });
    });
  });
  return { child, ended, signal: n => (child.stdio[4] as Duplex).write(Buffer.of(n)) };
}

/** Everything the helper said on its channel; it says `detached` or nothing. */
async function firstWord(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } catch {
    // A killed helper resets the channel; what it had said is all there is.
  }
  return Buffer.concat(chunks).toString('latin1');
}
