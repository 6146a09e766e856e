import { existsSync } from 'node:fs';
import { TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import { attachFront, type FrontEnded } from '../runtime/front.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerState } from '../store/containers.ts';
import { attachedTo } from './attached.ts';
import { attachSocket } from './container-paths.ts';
import type { Engine } from './context.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from './detach-keys.ts';
import { find } from './find.ts';
import { frontStreams, stdioOf } from './launch-container.ts';
import type { Attached, AttachOptions } from './types.ts';

/** Connects to the streams of a running container; its end ends us, our end does not end it. BAD_STATE when it is not running, or is paused. */
export async function attach(
  engine: Engine,
  nameOrId: string,
  options: AttachOptions = {},
): Promise<Attached> {
  const { record, state } = await find(engine, nameOrId);
  if (state.status !== 'running')
    throw refused(record, `not running (${state.status})`, `start it and attach in one step: tsbox start -a`);
  if (state.paused) throw refused(record, 'paused', 'tsbox unpause');
  const front = attachFront({
    helper: helperPath(),
    id: record.id,
    socket: attachSocket(engine, record.id),
    streams: frontStreams(options, record.process.openStdin),
    detachKeys: parseDetachKeys(options.detachKeys ?? DEFAULT_DETACH_KEYS),
    stdio: stdioOf(options),
  });
  const ended = front.ended.then(end => told(engine, record, end));
  return attachedTo(engine, record.id, { ...front, ended }, options);
}

const refused = ({ name }: ContainerRecord, why: string, command: string): TsboxError =>
  new TsboxError('BAD_STATE', `cannot attach to container ${name}: it is ${why}`, {
    hint: `${command} ${name}`,
    exitCode: 1,
  });

/** What the front ended with is the container's status only where a supervisor has said it. */
async function told(engine: Engine, record: ContainerRecord, end: FrontEnded): Promise<FrontEnded> {
  if (end.lost === undefined) return end;
  const [why, hint] = end.lost === 'vanished' ? vanished(record) : await untaken(engine, record);
  throw new TsboxError('BAD_STATE', why, { hint, exitCode: 1 });
}

type Explained = readonly [why: string, hint: string];

const vanished = ({ name }: ContainerRecord): Explained => [
  `the supervisor of container ${name} was killed: how the container ended is unknown`,
  `tsbox start ${name}`,
];

async function untaken(engine: Engine, record: ContainerRecord): Promise<Explained> {
  const { status } = await containerState(engine.paths, record);
  if (status === 'running') return unheard(engine, record);
  return [
    `cannot attach to container ${record.name}: it has just ended (${status})`,
    `tsbox logs ${record.name} shows what it wrote`,
  ];
}

/** It runs, so its supervisor listens: elsewhere, or to as many as it can. */
function unheard(engine: Engine, { id, name }: ContainerRecord): Explained {
  const socket = attachSocket(engine, id);
  if (existsSync(socket))
    return [
      `cannot attach to container ${name}: its supervisor has no place for one more client`,
      'let one of those who are attached or wait for it go',
    ];
  return [
    `cannot attach to container ${name}: there is no ${socket}`,
    'set TSBOX_RUNTIME_DIR (or XDG_RUNTIME_DIR) as it was where the container was started',
  ];
}
