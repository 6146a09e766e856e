import { TsboxError } from '../errors.ts';
import type { NetworkDriverName, PortMapping } from '../network/driver.ts';
import type { RunConfig } from '../oci/config.ts';
import type {
  ContainerRecord,
  DeviceRecord,
  LimitsRecord,
  MountRecord,
  NamespaceRecord,
} from '../store/container-record.ts';
import type { Engine } from './context.ts';
import type { CreateOptions } from './types.ts';

export interface MoreInput {
  readonly options: CreateOptions;
  readonly image: RunConfig;
  readonly network: NetworkDriverName;
  /** `--network container:NAME`: the id of that one. */
  readonly networkOf: string | undefined;
  /** Nobody inside can take further groups. */
  readonly denySetgroups: boolean;
}

/** What flags say that most containers do without. Empty where none of them is given. */
export interface MoreFields {
  /** Fields of the record as they are. */
  readonly record?: Partial<ContainerRecord>;
  readonly namespaces?: NamespaceRecord;
  /** --volumes-from, and what devices need. */
  readonly mounts?: readonly MountRecord[];
  readonly exposed?: readonly string[];
  /** Further ports, for those already published. */
  readonly publishAll?: (
    published: readonly PortMapping[],
    address?: string,
  ) => Promise<readonly PortMapping[]>;
  /** NAME=value of devices. */
  readonly env?: readonly string[];
}

/**
 * The rarer flags of `create`. The code for each is loaded when it is used: a plain run should not pay for it. Throws USAGE, NOT_FOUND,
 * HOST.
 */
export async function moreFields(engine: Engine, input: MoreInput): Promise<MoreFields> {
  const namespaces = await namespaceFields(engine, input);
  const [life, network, devices] = [
    await lifeFields(input),
    await networkFields(input),
    await deviceFields(engine, input),
  ];
  const limits = await limitFields(engine, input.options);
  const inherited = await inheritedMounts(engine, input.options);
  const mounts = [...inherited, ...(devices?.mounts ?? [])];
  return {
    ...network.more,
    ...(namespaces && { namespaces }),
    ...(mounts.length > 0 && { mounts }),
    ...(devices && { env: devices.env }),
    record: {
      ...life,
      ...network.record,
      ...plainFields(input),
      ...devices?.record,
      ...(namespaces && { namespaces }),
      ...(limits && { limits }),
    },
  };
}

function plainFields({ options, denySetgroups }: MoreInput): Partial<ContainerRecord> {
  const { annotations, groupAdd } = options;
  if (groupAdd) checkGroups(groupAdd, denySetgroups);
  return { ...(annotations && { annotations }), ...(groupAdd && { groupAdd }) };
}

/** keep-groups keeps what the caller has by forbidding every change; where only one user exists it is so in any case. */
function checkGroups(groups: readonly string[], denySetgroups: boolean): void {
  const keep = groups.includes('keep-groups');
  if (keep && groups.length > 1)
    throw new TsboxError('USAGE', '--group-add keep-groups allows no other group', {
      hint: 'leave the others out',
    });
  if (!keep && denySetgroups)
    throw new TsboxError(
      'USER',
      `--group-add ${groups[0]}: without subordinate ids nobody can be given groups`,
      {
        hint: '--group-add keep-groups keeps yours; docs/host-setup.md says how to get subordinate ids',
      },
    );
}

async function namespaceFields(
  engine: Engine,
  { options, network, networkOf }: MoreInput,
): Promise<NamespaceRecord | undefined> {
  const { pid, ipc, uts, cgroupns, sysctls, oomScoreAdj } = options;
  if ((pid ?? ipc ?? uts ?? cgroupns ?? sysctls ?? oomScoreAdj) === undefined) return undefined;
  const code = await import('./create-namespaces.ts');
  const parsed = code.parseNamespaces(options);
  const namespaces = /^container:/m.test(`${parsed?.pid}\n${parsed?.ipc}`)
    ? await (await import('./create-guest.ts')).sharedNamespaces(engine, parsed ?? {}, { network, networkOf })
    : parsed;
  code.checkSysctls(sysctls ?? {}, namespaces, network === 'host' ? 'host' : 'new');
  code.checkOomScore(oomScoreAdj);
  return namespaces;
}

async function limitFields(engine: Engine, options: CreateOptions): Promise<LimitsRecord | undefined> {
  if ((options.resources ?? options.limits ?? options.cgroupParent) === undefined) return undefined;
  return (await import('./create-limits.ts')).limitFields(engine, options);
}

async function lifeFields({ options, image }: MoreInput): Promise<Partial<ContainerRecord>> {
  const { restart, logDriver, logOptions, health } = options;
  if ((restart ?? logDriver ?? logOptions ?? health ?? image.Healthcheck) === undefined) return {};
  const code = await import('./create-life.ts');
  const policy = code.parseRestart(options);
  const log = code.parseLog(options);
  const healthcheck = code.parseHealth(image.Healthcheck, health);
  return { ...(policy && { restart: policy }), ...(log && { log }), ...(healthcheck && { healthcheck }) };
}

async function networkFields({ options, image, network }: MoreInput): Promise<{
  record?: Partial<ContainerRecord>;
  more?: Pick<MoreFields, 'exposed' | 'publishAll'>;
}> {
  const { expose, publishAll, dnsSearch, dnsOptions, addHost, dns, ip, ip6, macAddress, networkAliases } =
    options;
  const first = expose ?? publishAll ?? dnsSearch ?? dnsOptions ?? addHost ?? dns ?? ip ?? ip6 ?? macAddress;
  if ((first ?? networkAliases) === undefined) return {};
  const code = await import('./create-network.ts');
  code.refuseAddresses(network, options);
  code.checkNames(options);
  const exposed = code.exposedPorts(Object.keys(image.ExposedPorts ?? {}), expose ?? []);
  return {
    record: {
      ...(dnsSearch && { dnsSearch }),
      ...(dnsOptions && { dnsOptions }),
      ...(publishAll && { publishAll }),
    },
    more: {
      exposed,
      ...(publishAll && {
        publishAll: (ports, address) => code.publishAll(network, exposed, ports, address),
      }),
    },
  };
}

interface DeviceFields {
  readonly record: { readonly devices: readonly DeviceRecord[]; readonly groupAdd?: readonly string[] };
  readonly mounts: readonly MountRecord[];
  readonly env: readonly string[];
}

async function deviceFields(engine: Engine, { options }: MoreInput): Promise<DeviceFields | undefined> {
  if (!options.devices?.length && options.gpus === undefined) return undefined;
  return (await import('./create-device-fields.ts')).deviceFields(engine, options);
}

async function inheritedMounts(engine: Engine, { volumesFrom }: CreateOptions): Promise<MountRecord[]> {
  if (!volumesFrom?.length) return [];
  return (await import('./create-volumes-from.ts')).volumesFrom(engine, volumesFrom);
}
