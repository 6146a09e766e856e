import { TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import { attachFront } from '../runtime/front.ts';
import { attachedTo } from './attached.ts';
import { attachSocket } from './container-paths.ts';
import type { Engine } from './context.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from './detach-keys.ts';
import { find } from './find.ts';
import { frontStreams, stdioOf } from './launch-container.ts';
import type { Attached, AttachOptions } from './types.ts';

/** Connects to the streams of a running container; its end ends us, our end does not end it. BAD_STATE when it is not running. */
export async function attach(
  engine: Engine,
  nameOrId: string,
  options: AttachOptions = {},
): Promise<Attached> {
  const { record, state } = await find(engine, nameOrId);
  if (state.status !== 'running') {
    throw new TsboxError(
      'BAD_STATE',
      `cannot attach to container ${record.name}: it is not running (${state.status})`,
      {
        hint: `start it and attach in one step: tsbox start -a ${record.name}`,
        exitCode: 1,
      },
    );
  }
  const front = attachFront({
    helper: helperPath(),
    id: record.id,
    socket: attachSocket(engine, record.id),
    streams: frontStreams(options, record.process.openStdin),
    detachKeys: parseDetachKeys(options.detachKeys ?? DEFAULT_DETACH_KEYS),
    stdio: stdioOf(options),
  });
  return attachedTo(engine, record.id, front, options);
}
