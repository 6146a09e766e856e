import type { Launched } from '../runtime/launch.ts';
import type { Engine } from './context.ts';
import { SignalProxy } from './signal-proxy.ts';
import { signalNumber } from './signals.ts';
import type { Attached, AttachedResult, AttachOptions } from './types.ts';

const SIGKILL = 9;

/** The number of the signal that aborted, where it was one: the reason's `forward`. */
function forwardOf(reason: unknown): number | undefined {
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
  // A signal for the process is the proxy's to pass on, or the process's own to die of; anything else ends the command.
  const abort = ({ reason }: AbortSignal, told: boolean): void => {
    const forward = piped ? undefined : forwardOf(reason);
    if (forward === undefined) launched.signal(SIGKILL);
    else if (proxy && !told) launched.signal(forward);
  };
  const onAbort = () => engine.signal && abort(engine.signal, true);
  engine.signal?.addEventListener('abort', onAbort);
  // It came after the last moment at which the start could have been called off, and before the proxy listened.
  if (engine.signal?.aborted) abort(engine.signal, false);
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
