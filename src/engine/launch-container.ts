import type { StdioOptions } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { isUnified } from '../host/probe.ts';
import { ourName } from '../host/subid.ts';
import type { ReadyTexts } from '../network/driver.ts';
import type { Endpoint } from '../network/networks.ts';
import { networkDriver } from '../network/select.ts';
import { ANNOTATION } from '../oci/runtime-spec.ts';
import type { Op } from '../plan/ops.ts';
import type { FileAnswer } from '../runtime/channel.ts';
import { waitingHelper } from '../runtime/helper-process.ts';
import { imageUser, withPasswd } from '../runtime/image-user.ts';
import { type Launched, launch } from '../runtime/launch.ts';
import { resumePlan } from '../runtime/plan.ts';
import type { ResolvedUser } from '../runtime/users.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { keepRestartFile, restartFile } from '../store/containers-restart.ts';
import { EVENTS_FILE } from '../store/events.ts';
import { attachSocket, containerFiles, containerRuntimeDir } from './container-paths.ts';
import { type ContainerPlan, containerPlan } from './container-plan.ts';
import type { Engine } from './context.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from './detach-keys.ts';
import { writeEtcFiles } from './etc-files.ts';
import type { GroupStart } from './group-start.ts';
import { helperTrace } from './machine.ts';
import { writeServed } from './ports-served.ts';
import { eventTail } from './record-event.ts';
import { seccompFilter } from './seccomp-filter.ts';
import { selfWith } from './self-with.ts';
import type { AttachOptions } from './types.ts';

export interface LaunchHooks {
  /** Done as root of the container before the command's user is become (secrets of a build). */
  readonly staged?: readonly Op[];
  /** Called when nothing can call the command off any more, before it runs. */
  readonly begin?: (() => void) | undefined;
}

/**
 * Starts the command of a container that exists and whose storage is prepared: attached when `attach` is given. The container's directory stays as it
 * is when the start fails; nothing runs then.
 */
export async function launchContainer(
  engine: Engine,
  record: ContainerRecord,
  attach: AttachOptions | undefined,
  hooks: LaunchHooks = {},
): Promise<Launched> {
  mkdirSync(containerRuntimeDir(engine, record.id), { recursive: true, mode: 0o700 });
  await keepRestartFile(engine.paths, record);
  const group = record.limits || isUnified() ? await startOf(engine, record, attach) : undefined;
  try {
    return await launchIn(engine, record, attach, group, hooks);
  } catch (error) {
    group?.discard();
    throw error;
  }
}

async function launchIn(
  engine: Engine,
  record: ContainerRecord,
  attach: AttachOptions | undefined,
  group: GroupStart | undefined,
  { staged = [], begin }: LaunchHooks,
): Promise<Launched> {
  const planned = await containerPlan(engine, record, await endpointsOf(engine, record));
  const plan = group ? group.prepare(planned) : planned;
  if (record.strict) (await import('./strict.ts')).checkStrict(engine, record, plan.maps);
  engine.reporter.debug('engine', () => `starts ${record.id.slice(0, 12)} (${record.name})`);
  engine.reporter.debug('network', () => `${record.network.driver}, network namespace ${plan.network.netns}`);
  for (const warning of plan.network.warnings ?? []) engine.reporter.warn(warning);
  writeEtcFiles(engine, record, plan.network);
  return launch(
    plan.helper,
    {
      role: 'supervise',
      header: { ...plan.header, ...fileHeader(engine, record), ...streamHeader(record, attach) },
      init: plan.init,
      services: plan.services,
      trace: helperTrace(engine),
      model: join(engine.paths.root, 'early'),
      ...(group && { enroll: helper => group.enroll(helper) }),
      // The helper has come this far with the container's lock: no other start of it does.
      resume: async (files, ready) => {
        group?.publish();
        const adapted = group ? { ...plan, spec: group.adapt(plan.spec) } : plan;
        const ops = [...staged, ...(await resume(engine, record, adapted, { files, ready }))];
        begin?.();
        return ops;
      },
    },
    stdioOf(attach),
  ).catch(async error => {
    throw (await import('./host-changes.ts')).explainHostChanges(
      plan.networkRequest.ports.length > 0
        ? await (await import('./port-holder.ts')).withHolder(engine, error)
        : error,
      record,
    );
  });
}

/** Loaded where there are control groups that a user can be given, or limits. */
export async function startOf(
  engine: Engine,
  record: ContainerRecord,
  attach: AttachOptions | undefined,
): Promise<GroupStart | undefined> {
  const waiting = waitingHelper({ role: 'supervise', stdio: stdioOf(attach), front: attach !== undefined });
  return (await import('./group-start.ts')).groupStart(engine, record, waiting);
}

async function resume(
  engine: Engine,
  record: ContainerRecord,
  plan: ContainerPlan,
  { files, ready }: { files: ReadonlyMap<string, FileAnswer>; ready: ReadyTexts },
) {
  // A Ctrl-C before the command runs is no signal for it: there is no container then.
  if (engine.signal?.aborted) throw new TsboxError('ABORTED', `starting ${record.name} was cancelled`);
  const user = await imageUserOf(record, plan, files);
  const groups = plan.maps.denySetgroups ? [] : withPrimary(user);
  await publishPorts(engine, record, plan, ready);
  return resumePlan(plan.spec, { ...user, groups }, await seccompFilter(engine, record));
}

/** `ready`: what each service said when it was ready. */
export async function publishPorts(
  engine: Engine,
  record: ContainerRecord,
  plan: ContainerPlan,
  ready: ReadyTexts,
): Promise<void> {
  const published = await networkDriver(record.network.driver).publish?.(plan.networkRequest, ready);
  if (record.network.ports.length > 0) writeServed(engine, record.id, published ?? []);
}

/** Its addresses in user-defined networks. */
export async function endpointsOf(engine: Engine, record: ContainerRecord): Promise<Endpoint[] | undefined> {
  if (record.network.networks === undefined) return undefined;
  return (await import('./network-endpoints.ts')).takeEndpoints(engine, record);
}

/** Who the command runs as; with what it takes that the image does not know: a line in passwd, files that are given to it. */
export async function imageUserOf(
  record: ContainerRecord,
  plan: ContainerPlan,
  files: ReadonlyMap<string, FileAnswer>,
): Promise<ResolvedUser> {
  const user = imageUser(plan.spec.annotations[ANNOTATION.user] ?? '', files, record.groupAdd);
  if (record.mounts.some(m => m.options.includes('U'))) {
    await (await import('./volumes-owner.ts')).giveVolumes(plan, record, user);
  }
  return withPasswd(user, files, plan.maps.mode === 'keep-id' ? ourName() : undefined);
}

/** The primary group among the others, or a file that denies it to its group would be open (CVE-2022-36109). */
export const withPrimary = (user: ResolvedUser): number[] => [...new Set([user.gid, ...user.groups])];

function fileHeader(engine: Engine, record: ContainerRecord) {
  const files = containerFiles(record.id);
  return {
    lock: files.lock,
    state: files.state,
    ...logHeader(record, files.log),
    socket: attachSocket(engine, record.id),
    events: { path: EVENTS_FILE, tail: eventTail(record) },
    // A policy may also come later, by `update`: the file tells, not the record.
    onExit: record.autoRemove
      ? { argv: selfWith(engine, AUTO_REMOVE, record.id) }
      : { ifThere: restartFile(record.id), argv: selfWith(engine, AFTER_END, record.id) },
  };
}

function logHeader({ log }: ContainerRecord, path: string) {
  if (log?.driver === 'none') return {};
  if (log?.maxSize === undefined) return { log: path };
  return { log: path, rotate: { size: log.maxSize, files: log.maxFile ?? 1 } };
}

/** The hidden verb that removes a container with `--rm`. */
const AUTO_REMOVE = '_auto-remove';

/** The hidden verb that decides whether a container is started again. */
export const AFTER_END = '_after-end';

function streamHeader(record: ContainerRecord, attach: AttachOptions | undefined) {
  return {
    stdin: record.process.openStdin,
    ...(record.process.tty && { tty: terminalSize() }),
    ...(attach && {
      front: frontStreams(attach, record.process.openStdin),
      detachKeys: parseDetachKeys(attach.detachKeys ?? DEFAULT_DETACH_KEYS),
    }),
  };
}

/** Letters for the helper: i, o, e. */
export function frontStreams(attach: AttachOptions, stdin: boolean): string {
  const letters = [
    stdin && attach.stdin !== false && 'i',
    attach.stdout !== false && 'o',
    attach.stderr !== false && 'e',
  ];
  return letters.filter(Boolean).join('');
}

export function stdioOf(attach: AttachOptions | undefined): StdioOptions {
  if (!attach) return 'ignore';
  return attach.stdio === 'pipe' ? 'pipe' : 'inherit';
}

/** The front corrects it as soon as it is connected; a program that asks at once should not see 0 x 0. */
export function terminalSize(): { rows: number; columns: number } {
  return { rows: process.stdout.rows ?? 24, columns: process.stdout.columns ?? 80 };
}
