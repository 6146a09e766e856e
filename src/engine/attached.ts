import type { Launched } from '../runtime/launch.ts';
import type { Engine } from './context.ts';
import { proxyFor, type SignalProxy } from './signal-proxy.ts';
import { signalNumber } from './signals.ts';
import type { Attached, AttachedResult, AttachOptions } from './types.ts';

const SIGKILL = 9;

/** The number of the signal that aborted, where it was one: the reason's `forward`. */
function forwardOf(reason: unknown): number | undefined {
  const forward = (reason as { forward?: unknown } | undefined)?.forward;
  return typeof forward === 'number' ? forward : undefined;
}

/** A launched command as the API shows it. `onEnd` runs once when the connection has ended
 * (not when we detached); it is told whether the command has, or whether only its front was killed. `begun`: the proxy that listens already. */
export function attachedTo(
  engine: Engine,
  id: string,
  launched: Pick<Launched, 'child' | 'ended' | 'signal'>,
  attach: AttachOptions,
  onEnd: (exited: boolean) => Promise<void> = async () => {},
  begun?: SignalProxy,
): Attached {
  const piped = attach.stdio === 'pipe';
  const proxy = begun ?? proxyFor(attach);
  proxy?.to(n => launched.signal(n));
  // A signal for the process is the proxy's to pass on, or the process's own to die of; anything else ends the command.
  const abort = ({ reason }: AbortSignal, told: boolean): void => {
    const forward = piped ? undefined : forwardOf(reason);
    if (forward === undefined) launched.signal(SIGKILL);
    else if (proxy && !told) launched.signal(forward);
  };
  const onAbort = () => engine.signal && abort(engine.signal, true);
  engine.signal?.addEventListener('abort', onAbort);
  // It came after the last moment at which the start could have been called off.
  if (engine.signal?.aborted) abort(engine.signal, begun !== undefined);
  const result = launched.ended
    .finally(() => {
      proxy?.stop();
      engine.signal?.removeEventListener('abort', onAbort);
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
