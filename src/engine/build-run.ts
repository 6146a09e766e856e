import type { Readable } from 'node:stream';
import { TsboxError } from '../errors.ts';
import type { RunConfig } from '../oci/config.ts';
import type { Op } from '../plan/ops.ts';
import { newId } from '../store/atomic.ts';
import type { ContainerRecord, MountRecord } from '../store/container-record.ts';
import { reserveContainer } from '../store/containers.ts';
import { attachedTo } from './attached.ts';
import { type BuiltLayer, keepUpper, removeStubs } from './build-layer.ts';
import type { BuildSession, Step } from './build-session.ts';
import { commitLayer } from './commit-layer.ts';
import { containerRecord } from './container-record.ts';
import type { Engine } from './context.ts';
import { launchContainer } from './launch-container.ts';
import { mapsFor } from './machine.ts';
import { remove } from './remove.ts';
import type { ResourceOptions } from './resource-types.ts';
import { prepareStorage } from './rootfs.ts';

export interface RunRequest {
  /** Diff ids of what is below, base first. */
  readonly layers: readonly string[];
  readonly args: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly config: RunConfig;
  readonly network: string | undefined;
  readonly privileged: boolean;
  readonly mounts: StepMounts;
}

/** What is there only while the command runs. */
export interface StepMounts {
  readonly records: readonly MountRecord[];
  /** Done in the container, as its root, before the command: files that never are on the disk. */
  readonly staged: readonly Op[];
  /** Variables that no image, record or cache keeps. */
  readonly env: readonly string[];
  /** Places that are mounted on, for taking away what was made for them. */
  readonly targets: readonly string[];
}

export const NO_MOUNTS: StepMounts = { records: [], staged: [], env: [], targets: [] };

/** What the start of every container makes a place for. */
const OWN_STUBS = ['dev', 'proc', 'sys', 'etc/hosts', 'etc/hostname', 'etc/resolv.conf'];

/**
 * A RUN: the run of this project with a fresh writable layer over the layers so far, which then becomes the next layer. Throws BUILD with the command's
 * status, and what a start throws. Nothing of it stays when it fails.
 */
export async function runStep(session: BuildSession, step: Step, request: RunRequest): Promise<BuiltLayer> {
  const { engine } = session;
  const planned = await stepRecord(session, request);
  const record = await reserveContainer(engine.paths, planned, { transient: true });
  try {
    await prepareStorage(engine, record);
    const exitCode = await execute(engine, record, step, request.mounts);
    if (exitCode !== 0) throw failed(request.args, exitCode);
    return await keep(session, record, request);
  } finally {
    await remove(engine, record.id, { force: true, volumes: true });
  }
}

async function stepRecord(session: BuildSession, request: RunRequest): Promise<ContainerRecord> {
  const { engine, options, driver } = session;
  const maps = await mapsFor(engine, 'auto');
  const id = newId();
  const { config } = request;
  const record = await containerRecord(engine, {
    id,
    maps,
    driver,
    image: {
      reference: 'build',
      id: 'build',
      layers: request.layers,
      config: { Env: [...request.env] },
      platform: `${session.platform.os}/${session.platform.architecture}`,
    },
    options: {
      image: 'build',
      entrypoint: [],
      command: request.args,
      workdir: config.WorkingDir ?? '/',
      user: config.User ?? '',
      hostname: 'build',
      autoRemove: true,
      logDriver: 'none',
      ...limitsOf(options),
      ...(request.network !== undefined && { network: request.network }),
      ...(request.privileged && { privileged: true }),
    },
  });
  return { ...record, mounts: request.mounts.records };
}

function limitsOf(options: BuildSession['options']) {
  const { addHost, shmSize, ulimits, securityOpt, cgroupParent } = options;
  const resources = resourcesOf(options);
  return {
    ...(Object.keys(resources).length > 0 && { resources }),
    ...(cgroupParent !== undefined && { cgroupParent }),
    ...(addHost && { addHost }),
    ...(shmSize !== undefined && { shmSize }),
    ...(ulimits && { ulimits }),
    ...(securityOpt && { securityOpt }),
  };
}

const RESOURCES = [
  'memory',
  'memorySwap',
  'cpuShares',
  'cpuPeriod',
  'cpuQuota',
  'cpusetCpus',
  'cpusetMems',
] as const;

/** In the words of `run`. */
function resourcesOf(options: BuildSession['options']): ResourceOptions {
  return Object.fromEntries(
    RESOURCES.flatMap(name => (options[name] === undefined ? [] : [[name, options[name]] as const])),
  );
}

async function execute(
  engine: Engine,
  record: ContainerRecord,
  step: Step,
  mounts: StepMounts,
): Promise<number> {
  const env = [...record.process.env, ...mounts.env];
  const running = { ...record, process: { ...record.process, env } };
  const attach = { stdin: false, stdio: 'pipe' } as const;
  const launched = await launchContainer(engine, running, attach, { staged: mounts.staged });
  const attached = attachedTo(engine, record.id, launched, attach);
  const streams = [relay(attached.stdout, 'stdout', step), relay(attached.stderr, 'stderr', step)];
  const { exitCode } = await attached.wait();
  await Promise.all(streams);
  if (engine.signal?.aborted) throw new TsboxError('ABORTED', 'cancelled', { cause: engine.signal.reason });
  return exitCode;
}

async function relay(
  stream: NodeJS.ReadableStream | undefined,
  name: 'stdout' | 'stderr',
  step: Step,
): Promise<void> {
  for await (const chunk of (stream ?? []) as Readable) step.log(name, chunk as Buffer);
}

function failed(args: readonly string[], exitCode: number): TsboxError {
  const shown = args.join(' ');
  const short = shown.length > 400 ? `${shown.slice(0, 400)}…` : shown;
  return new TsboxError(
    'BUILD',
    `process ${JSON.stringify(short)} did not complete successfully: exit code: ${exitCode}`,
    { exitCode: 1 },
  );
}

/** Only the kernel's overlay leaves a directory that is a layer as it stands. */
async function keep(
  session: BuildSession,
  record: ContainerRecord,
  { mounts }: RunRequest,
): Promise<BuiltLayer> {
  const { engine, epoch } = session;
  if (record.storage.driver === 'overlay')
    return keepUpper(engine, record, [...OWN_STUBS, ...mounts.targets], epoch);
  if (mounts.targets.length > 0) await removeStubs(engine, record, mounts.targets);
  const { descriptor, record: layer } = await commitLayer(engine, record);
  return { diffId: layer.diffId, descriptor };
}
