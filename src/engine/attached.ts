import type { Launched } from '../runtime/launch.ts';
import type { Engine } from './context.ts';
import { proxySignals } from './signal-proxy.ts';
import { signalNumber } from './signals.ts';
import type { Attached, AttachedResult, AttachOptions } from './types.ts';

const NOTHING = (): void => {};
const SIGKILL = 9;

/** The number of the signal that aborted, where it was one: the reason's `forward`. */
function forwardOf({ reason }: AbortSignal): number | undefined {
  const forward = (reason as { forward?: unknown } | undefined)?.forward;
  return typeof forward === 'number' ? forward : undefined;
}

/** A launched command as the API shows it. `onEnd` runs once when the connection has ended
 * (not when we detached); it is told whether the command has, or whether only its front was killed. */
export function attachedTo(
  engine: Engine,
  id: string,
  launched: Pick<Launched, 'child' | 'ended' | 'signal'>,
  attach: AttachOptions,
  onEnd: (exited: boolean) => Promise<void> = async () => {},
): Attached {
  const piped = attach.stdio === 'pipe';
  const stopProxy = !piped && attach.sigProxy !== false ? proxySignals(n => launched.signal(n)) : NOTHING;
  const abort = () => launched.signal(SIGKILL);
  engine.signal?.addEventListener('abort', abort);
  // It came after the last moment at which the start could have been called off: a signal is the command's then.
  if (engine.signal?.aborted)
    launched.signal(stopProxy === NOTHING ? SIGKILL : (forwardOf(engine.signal) ?? SIGKILL));
  const result = launched.ended
    .finally(() => {
      stopProxy();
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
