import { TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import { isAlive } from '../host/probe.ts';
import { networkDriver } from '../network/select.ts';
import { ANNOTATION, type Spec } from '../oci/runtime-spec.ts';
import { type Op, ops } from '../plan/ops.ts';
import { imageUser } from '../runtime/image-user.ts';
import { type Launched, launch } from '../runtime/launch.ts';
import { cloneFlags } from '../runtime/namespaces.ts';
import { GROUP, PASSWD, resumePlan } from '../runtime/plan.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { containerState, findContainer } from '../store/containers.ts';
import { attachedTo } from './attached.ts';
import { runningMaps } from './container-maps.ts';
import { containerRuntimeDir } from './container-paths.ts';
import { containerSpec } from './container-spec.ts';
import type { Engine } from './context.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from './detach-keys.ts';
import { extendEnv } from './env.ts';
import { readGroupFile } from './group-file.ts';
import { frontStreams, stdioOf, terminalSize, withPrimary } from './launch-container.ts';
import { helperTrace } from './machine.ts';
import { seccompFilter } from './seccomp-filter.ts';
import { withProxy } from './signal-proxy.ts';
import type { Attached, AttachOptions, ExecOptions } from './types.ts';

/** `tsbox exec`: one more command in a running container. */
export async function exec(
  engine: Engine,
  nameOrId: string,
  options: ExecOptions,
  attach: AttachOptions,
): Promise<Attached> {
  const record = await findContainer(engine.paths, nameOrId);
  const { launched, proxy } = await withProxy(attach, begin => join(engine, record, options, attach, begin));
  return attachedTo(engine, record.id, launched, attach, undefined, proxy);
}

/** `tsbox exec -d`. */
export async function execDetached(engine: Engine, nameOrId: string, options: ExecOptions): Promise<void> {
  await join(engine, await findContainer(engine.paths, nameOrId), options, undefined);
}

async function join(
  engine: Engine,
  record: ContainerRecord,
  options: ExecOptions,
  attach: AttachOptions | undefined,
  begin = (): void => {},
): Promise<Launched> {
  if (options.command.length === 0)
    throw new TsboxError('USAGE', 'no command given', { hint: `tsbox exec ${record.name} COMMAND` });
  const state = await containerState(engine.paths, record);
  if (state.status !== 'running') throw notRunning(record, state);
  if (state.paused) throw isPaused(record);
  const joined = execSpec(engine, record, options);
  const group = readGroupFile(engine, record.id);
  const launched = launch(
    helperPath(),
    {
      role: 'join',
      header: {
        id: record.id,
        cwd: engine.paths.root,
        target: { pid: state.pid, start: state.start },
        stdin: options.interactive ?? false,
        ...(options.tty && { tty: terminalSize() }),
        ...(attach && {
          front: frontStreams(attach, options.interactive ?? false),
          detachKeys: parseDetachKeys(attach.detachKeys ?? DEFAULT_DETACH_KEYS),
        }),
      },
      trace: helperTrace(engine),
      ...(group && { enroll: async helper => (await groupCode()).joinGroup(group, helper) }),
      init: joinPlan(cloneFlags(joined.spec.linux.namespaces), options.tty ?? false),
      resume: async files => {
        const user = imageUser(options.user ?? record.process.user, files, record.groupAdd);
        const groups = joined.denySetgroups ? [] : withPrimary(user);
        const spec = group ? (await groupCode()).approximated(group, joined.spec) : joined.spec;
        const filter = await seccompFilter(engine, joined.record);
        begin();
        return resumePlan(spec, { ...user, groups }, filter);
      },
    },
    stdioOf(attach),
  );
  return launched.catch((error: unknown) => {
    throw cannotJoin(record, state, error);
  });
}

/** It may end at any moment between our look and the command: what the kernel says then depends on how far we had come. */
function cannotJoin(record: ContainerRecord, state: ContainerState, error: unknown): unknown {
  const isLost = error instanceof TsboxError && (error.code === 'LAUNCH' || error.code === 'BAD_STATE');
  return isLost && !isAlive(state.pid, state.start)
    ? notRunning(record, { ...state, status: 'exited' })
    : error;
}

/** Loaded where the container has a control group, or what stands in for one. */
const groupCode = () => import('./group-join.ts');

/** Part one of `exec`. `flags`: the container's own namespaces; the host's are ours already, and only their owner may join them. */
export function joinPlan(flags: number, tty: boolean): Op[] {
  return [
    ops.join(flags, 'the namespaces of the container, its user namespace first'),
    ...(tty ? [ops.tty("a terminal of the container's own devpts")] : []),
    ops.barrier([PASSWD, GROUP], 'wait for ids; go on from a sealed copy of the helper'),
  ];
}

/** The container's spec with this command in place of its own. */
function execSpec(engine: Engine, record: ContainerRecord, options: ExecOptions) {
  const maps = runningMaps(record);
  const { netns } = networkDriver(record.network.driver).setup({
    containerId: record.id,
    runtimeDir: containerRuntimeDir(engine, record.id),
    ports: [],
    options: record.network.options,
  });
  const asked = { ...record, privileged: record.privileged || (options.privileged ?? false) };
  const base = containerSpec({ record: asked, maps, rootPath: '/', netns });
  const env = extendEnv(record.process.env, options.env ?? [], options.callerEnv ?? {});
  const spec: Spec = {
    ...base,
    process: {
      ...base.process,
      terminal: options.tty ?? false,
      args: options.command,
      cwd: options.workdir ?? record.process.cwd,
      env: options.tty && !env.some(e => e.startsWith('TERM=')) ? [...env, 'TERM=xterm'] : env,
    },
    annotations: joinedAnnotations(base.annotations),
  };
  return { spec, record: asked, denySetgroups: maps.denySetgroups };
}

/**
 * A wall of its own would keep this process from looking at those of the container (`echo x > /proc/1/fd/1`, `strace -p 1`), since
 * Landlock lets nobody trace out of a domain: only --strict has it here, too.
 */
function joinedAnnotations({ [ANNOTATION.landlock]: landlock, ...others }: Spec['annotations']) {
  const wall = landlock === 'must' ? { [ANNOTATION.landlock]: landlock } : {};
  return { ...others, ...wall, [ANNOTATION.init]: 'false' };
}

/** Nothing of it goes on, a new command neither: with a control group it would be born frozen. */
const isPaused = ({ name }: ContainerRecord): TsboxError =>
  new TsboxError('BAD_STATE', `container ${name} is paused`, {
    hint: `tsbox unpause ${name} first`,
    exitCode: 1,
  });

function notRunning(record: ContainerRecord, state: ContainerState): TsboxError {
  return new TsboxError('BAD_STATE', `container ${record.name} is not running (${state.status})`, {
    hint: `tsbox start ${record.name}`,
    exitCode: 1,
  });
}
