import { hostname as hostName } from 'node:os';
import { TsboxError } from '../errors.ts';
import type { UsernsMaps } from '../host/idmap.ts';
import { ourGid, ourUid } from '../host/paths.ts';
import type { NetworkDriverName } from '../network/driver.ts';
import { parsePublish } from '../network/ports.ts';
import { isDriverWord, selectNetwork } from '../network/select.ts';
import type { StorageDriverName } from '../storage/driver.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './context.ts';
import type { BaseImage } from './create-image.ts';
import { moreFields } from './create-more.ts';
import { extendEnv, mergeEnv } from './env.ts';
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
  /** keep-id:uid=,gid= */
  readonly inside?: { readonly uid?: number; readonly gid?: number };
}

const MiB = 1024 * 1024;

/** Image config and options become one record: docker's rules for what replaces and what adds. */
export async function containerRecord(engine: Engine, input: RecordInput): Promise<ContainerRecord> {
  const { options, image, maps, driver, id } = input;
  const network = await chooseNetwork(engine, options);
  const more = await moreFields(engine, {
    options,
    image: image.config,
    network: network.driver as NetworkDriverName,
    networkOf: network.container,
    denySetgroups: maps.denySetgroups,
  });
  const shared = network.driver === 'host' || more.namespaces?.uts === 'host';
  const hostname = checkedName('hostname', options.hostname) ?? (shared ? hostName() : id.slice(0, 12));
  const { publishAddress } = engine.config.network;
  const ports = await parsePublish(options.publish ?? [], publishAddress);
  return {
    version: 1,
    id,
    name: options.name ?? '',
    created: new Date().toISOString(),
    image: { reference: image.reference, id: image.id, layers: image.layers },
    storage: { driver },
    userns: { mode: maps.mode, ...input.inside },
    network: {
      ...network,
      ports: [...ports, ...((await more.publishAll?.(ports, publishAddress)) ?? [])],
    },
    ...processFields(input, hostname, more.env ?? []),
    mounts: await parseMounts(options, {
      ...(more.mounts && { inherited: more.mounts }),
      image: Object.keys(image.config.Volumes ?? {}),
    }),
    hostname,
    domainname: checkedName('domainname', options.domainname) ?? '',
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
    exposed: more.exposed ?? Object.keys(image.config.ExposedPorts ?? {}),
    ...more.record,
  };
}

/** Words of drivers at once; everything else (networks that users define) is loaded when it is asked for. */
async function chooseNetwork(
  engine: Engine,
  options: CreateOptions,
): Promise<Omit<ContainerRecord['network'], 'ports'>> {
  if (options.networks || !isDriverWord(options.network))
    return (await import('./network-choice.ts')).chooseNetworks(engine, options);
  const chosen = await selectNetwork(options.network, engine.config, engine.paths.runtime);
  return { driver: chosen.driver.name, options: chosen.options };
}

/** sethostname(2) takes 64 bytes; a line break would be one in /etc/hosts. Throws USAGE. */
function checkedName(flag: string, name: string | undefined): string | undefined {
  if (name === undefined || (Buffer.byteLength(name) <= 64 && /^[^\s\0]+$/.test(name))) return name;
  throw new TsboxError(
    'USAGE',
    `--${flag} ${JSON.stringify(name)} is not 1 to 64 bytes without white space`,
    {
      hint: `--${flag} web`,
    },
  );
}

function processFields(
  { options, image, maps, inside }: RecordInput,
  hostname: string,
  env: readonly string[],
) {
  const { entrypoint, cmd } = commandOf(options, image);
  return {
    entrypoint,
    cmd,
    process: {
      args: [...entrypoint, ...cmd],
      // What a device's specification says is the machine's word, so it comes last.
      env: extendEnv(mergeEnv({ image: image.config.Env ?? [], options, hostname }), env, {}),
      cwd: workdirOf(options.workdir ?? image.config.WorkingDir),
      user: options.user ?? image.config.User ?? keepIdUser(maps, inside),
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
function keepIdUser(maps: UsernsMaps, inside: RecordInput['inside']): string {
  if (maps.mode !== 'keep-id') return '';
  return `${inside?.uid ?? ourUid()}:${inside?.gid ?? ourGid()}`;
}
