import { TsboxError } from '../errors.ts';
import type { Attached, AttachOptions } from '../index.ts';
import type { CliContext } from './context.ts';

const STREAMS = ['stdin', 'stdout', 'stderr'] as const;

export interface StreamRequest {
  /** Words of -a; empty: stdout, stderr, and stdin with -i. */
  readonly attach?: readonly string[];
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly detachKeys: string | undefined;
  readonly sigProxy?: boolean;
}

/** Which of our streams the container gets. Throws USAGE for an unknown stream, and for -i -t without a terminal. */
export async function attachOptions(
  request: StreamRequest,
  context: Pick<CliContext, 'isTerminal'>,
): Promise<AttachOptions> {
  const words = (request.attach ?? []).map(word => word.toLowerCase());
  const bad = words.find(word => !STREAMS.some(stream => stream === word));
  if (bad !== undefined) {
    throw new TsboxError('USAGE', `invalid value '${bad}' for --attach`, {
      hint: `it takes ${STREAMS.join(', ')}`,
    });
  }
  const wants = (stream: (typeof STREAMS)[number], byDefault: boolean): boolean =>
    words.length > 0 ? words.includes(stream) : byDefault;
  const stdin = wants('stdin', request.interactive);
  if (request.tty && stdin) await requireTerminal(context);
  return {
    stdio: 'inherit',
    stdin,
    stdout: wants('stdout', true),
    stderr: wants('stderr', true),
    ...(request.detachKeys === undefined ? {} : { detachKeys: request.detachKeys }),
    ...(request.sigProxy === undefined ? {} : { sigProxy: request.sigProxy }),
  };
}

/** docker's check, with our status: 1 could also be the command's own. */
async function requireTerminal(context: Pick<CliContext, 'isTerminal'>): Promise<void> {
  if (await context.isTerminal(0)) return;
  throw new TsboxError('USAGE', '-t wants a terminal, and stdin is none', {
    hint: 'leave -t out to pipe data in, or -i to have only output on a terminal',
  });
}

/** Waits for a command we are connected to. Having left it by the detach keys is success, and moves to a new line. */
export async function statusOf(attached: Attached, context: Pick<CliContext, 'err'>): Promise<number> {
  const { exitCode, detached } = await attached.wait();
  if (!detached) return exitCode;
  context.err.write('\n');
  return 0;
}
