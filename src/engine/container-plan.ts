import { helperPath } from '../host/binaries.ts';
import type { UsernsMaps } from '../host/idmap.ts';
import type { NetworkRequest, NetworkSetup } from '../network/driver.ts';
import type { Endpoint } from '../network/networks.ts';
import { networkDriver } from '../network/select.ts';
import type { Spec } from '../oci/runtime-spec.ts';
import type { Op, Service } from '../plan/ops.ts';
import type { Header } from '../runtime/header.ts';
import { cloneFlags } from '../runtime/namespaces.ts';
import { initPlan } from '../runtime/plan.ts';
import { storageDriver } from '../storage/select.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerMaps } from './container-maps.ts';
import { containerRuntimeDir } from './container-paths.ts';
import { containerSpec } from './container-spec.ts';
import type { Engine } from './context.ts';
import type { Place } from './network-place.ts';
import { rootfsRequest } from './rootfs.ts';

/** Everything that is decided before a helper is started; `--explain` prints it. */
export interface ContainerPlan {
  readonly helper: string;
  readonly header: Header;
  readonly maps: UsernsMaps;
  readonly spec: Spec;
  readonly init: readonly Op[];
  readonly services: readonly Service[];
  readonly network: NetworkSetup;
  readonly networkRequest: NetworkRequest;
}

/** Puts together what storage, network and the record say. Changes nothing. */
export async function containerPlan(
  engine: Engine,
  record: ContainerRecord,
  endpoints?: readonly Endpoint[],
): Promise<ContainerPlan> {
  const maps = await containerMaps(engine, record);
  const rootfs = storageDriver(record.storage.driver).rootfs(await rootfsRequest(engine, record));
  const networkRequest = {
    containerId: record.id,
    runtimeDir: containerRuntimeDir(engine, record.id),
    ports: record.network.ports,
    options: record.network.options,
    ...(endpoints && { endpoints }),
  };
  const network = networkDriver(record.network.driver).setup(networkRequest);
  const place = await placeFor(engine, record, maps, endpoints);
  const spec = containerSpec({ record, maps: place.maps, rootPath: rootfs.path, netns: network.netns });
  const clone = cloneFlags(spec.linux.namespaces) & ~place.shared;
  return {
    helper: helperPath(),
    header: { id: record.id, cwd: engine.paths.root, clone, ...place.header },
    maps,
    spec,
    init: initPlan(spec, { rootfs: rootfs.ops, network: [...place.ops, ...network.ops] }),
    services: [...rootfs.services, ...network.services, ...(await health(engine, record))],
    network,
    networkRequest,
  };
}

const sharesNamespaces = ({ namespaces: n }: ContainerRecord): boolean =>
  n !== undefined && /^container:/m.test(`${n.pid}\n${n.ipc}`);

/** Loaded only where the user namespace is not made in the machine's. */
async function placeFor(
  engine: Engine,
  record: ContainerRecord,
  maps: UsernsMaps,
  endpoints: readonly Endpoint[] = [],
): Promise<Place> {
  const { driver } = record.network;
  const apart = driver !== 'bridge' && driver !== 'container';
  if (apart && !sharesNamespaces(record)) return { maps, header: { maps }, shared: 0, ops: [] };
  return driver === 'bridge'
    ? (await import('./network-place.ts')).placeOf(engine, record, maps, endpoints)
    : (await import('./guest-place.ts')).guestPlace(engine, record, maps);
}

/** Loaded only where there is a check. */
async function health(engine: Engine, record: ContainerRecord): Promise<Service[]> {
  return record.healthcheck ? (await import('./health-service.ts')).healthServices(engine, record) : [];
}
