import type { Launched } from '../runtime/launch.ts';
import type { Engine } from './context.ts';
import { SignalProxy } from './signal-proxy.ts';
import { signalNumber } from './signals.ts';
import type { Attached, AttachedResult, AttachOptions } from './types.ts';

const SIGKILL = 9;

/** The number of the signal that aborted, where it was one: the reason's `forward`. */
function forwardOf({ reason }: AbortSignal): number | undefined {
  const forward = (reason as { forward?: unknown } | undefined)?.forward;
  return typeof forward === 'number' ? forward : undefined;
}

/** Begun before the command may run, no signal of the caller's is lost between its first word and our knowing of it. */
export const proxyFor = ({ stdio, sigProxy }: AttachOptions): SignalProxy | undefined =>
  stdio !== 'pipe' && sigProxy !== false ? new SignalProxy() : undefined;

/** A launched command as the API shows it. `onEnd` runs once when the connection has ended
 * (not when we detached); it is told whether the command has, or whether only its front was killed. */
export function attachedTo(
  engine: Engine,
  id: string,
  launched: Pick<Launched, 'child' | 'ended' | 'signal'>,
  attach: AttachOptions,
  onEnd: (exited: boolean) => Promise<void> = async () => {},
  proxy = proxyFor(attach),
): Attached {
  const piped = attach.stdio === 'pipe';
  proxy?.to(n => launched.signal(n));
  const abort = () => launched.signal(SIGKILL);
  engine.signal?.addEventListener('abort', abort);
  // It came after the last moment at which the start could have been called off: a signal is the command's then.
  if (engine.signal?.aborted) launched.signal(proxy ? (forwardOf(engine.signal) ?? SIGKILL) : SIGKILL);
  const result = launched.ended
    .finally(() => {
      proxy?.stop();
      engine.signal?.removeEventListener('abort', abort);
    })
    .then(async (end): Promise<AttachedResult> => {
      if (!end.detached) await onEnd(end.exited);
      return { exitCode: end.exitCode, detached: end.detached };
    });
  result.catch(() => {}); // wait() gives it to whoever asks
  return {
    id,
    stdin: (piped && launched.child?.stdin) || undefined,
    stdout: (piped && launched.child?.stdout) || undefined,
    stderr: (piped && launched.child?.stderr) || undefined,
    kill: signal => launched.signal(signalNumber(signal)),
    wait: () => result,
  };
}
