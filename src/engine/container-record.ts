import { hostname as hostName } from 'node:os';
import { TsboxError } from '../errors.ts';
import type { UsernsMaps } from '../host/idmap.ts';
import { parsePublish } from '../network/ports.ts';
import { selectNetwork } from '../network/select.ts';
import type { StorageDriverName } from '../storage/driver.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './context.ts';
import type { BaseImage } from './create-image.ts';
import { mergeEnv } from './env.ts';
import { parseMounts } from './mount-options.ts';
import { parseSecurityOpt } from './security-options.ts';
import { signalNumber } from './signals.ts';
import type { CreateOptions } from './types.ts';
import { parseUlimits } from './ulimits.ts';

export interface RecordInput {
  readonly options: CreateOptions;
  readonly image: BaseImage;
  readonly maps: UsernsMaps;
  readonly driver: StorageDriverName;
  readonly id: string;
}

const MiB = 1024 * 1024;

/** Image config and options become one record: docker's rules for what replaces and what adds. */
export async function containerRecord(engine: Engine, input: RecordInput): Promise<ContainerRecord> {
  const { options, image, maps, driver, id } = input;
  const network = await selectNetwork(options.network, engine.config, engine.paths.runtime);
  const hostname = options.hostname ?? (network.driver.name === 'host' ? hostName() : id.slice(0, 12));
  return {
    version: 1,
    id,
    name: options.name ?? '',
    created: new Date().toISOString(),
    image: { reference: image.reference, id: image.id, layers: image.layers },
    storage: { driver },
    userns: { mode: maps.mode },
    network: {
      driver: network.driver.name,
      options: network.options,
      ports: await parsePublish(options.publish ?? []),
    },
    ...processFields(input, hostname),
    mounts: await parseMounts(options),
    hostname,
    domainname: options.domainname ?? '',
    labels: { ...image.config.Labels, ...options.labels },
    autoRemove: options.autoRemove ?? false,
    readOnly: options.readOnly ?? false,
    privileged: options.privileged ?? false,
    capAdd: options.capAdd ?? [],
    capDrop: options.capDrop ?? [],
    ...(await parseSecurityOpt(options)),
    rootEmulation: options.rootEmulation ?? maps.mode === 'single',
    shmSize: options.shmSize ?? 64 * MiB,
    addHost: options.addHost ?? [],
    dns: options.dns ?? [],
    ulimits: parseUlimits(options.ulimits ?? []),
    oomScoreAdj: options.oomScoreAdj,
    sysctls: options.sysctls ?? {},
    platform: image.platform,
    exposed: Object.keys(image.config.ExposedPorts ?? {}),
  };
}

function processFields({ options, image, maps }: RecordInput, hostname: string) {
  const { entrypoint, cmd } = commandOf(options, image);
  return {
    entrypoint,
    cmd,
    process: {
      args: [...entrypoint, ...cmd],
      env: mergeEnv({ image: image.config.Env ?? [], options, hostname }),
      cwd: workdirOf(options.workdir ?? image.config.WorkingDir),
      user: options.user ?? image.config.User ?? keepIdUser(maps),
      tty: options.tty ?? false,
      openStdin: options.interactive ?? false,
      stopSignal: checkedSignal(options.stopSignal) ?? image.config.StopSignal ?? 'SIGTERM',
      stopTimeout: options.stopTimeout ?? image.config.StopTimeout ?? 10,
      init: options.init ?? false,
    },
  };
}

/** An entrypoint given by the user also drops the image's Cmd, as in docker. */
function commandOf(
  options: CreateOptions,
  image: BaseImage,
): { entrypoint: readonly string[]; cmd: readonly string[] } {
  const given = options.command ?? [];
  const entrypoint = options.entrypoint ?? image.config.Entrypoint ?? [];
  const cmd = given.length > 0 || options.entrypoint ? given : (image.config.Cmd ?? []);
  if (entrypoint.length + cmd.length > 0) return { entrypoint, cmd };
  throw new TsboxError('USAGE', `no command given, and the image ${image.reference} names none`, {
    hint: `tsbox run ${image.reference} COMMAND`,
  });
}

function workdirOf(path: string | undefined): string {
  if (path === undefined || path === '') return '/';
  if (path.startsWith('/')) return path;
  throw new TsboxError('USAGE', `working directory ${JSON.stringify(path)} is not an absolute path`, {
    hint: `-w /${path}`,
  });
}

/** Throws USAGE for a signal that does not exist: at `stop` it would be too late. */
function checkedSignal(signal: string | undefined): string | undefined {
  if (signal !== undefined) signalNumber(signal);
  return signal;
}

/** With keep-id the caller is also themselves inside, unless told otherwise. */
function keepIdUser(maps: UsernsMaps): string {
  if (maps.mode !== 'keep-id') return '';
  return `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
}
