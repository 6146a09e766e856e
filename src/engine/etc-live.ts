import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import { changedHosts, changedServers, nameserversOf } from '../network/etc-live.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { listContainerRecords } from '../store/containers.ts';
import type { EndpointState } from '../store/network-record.ts';
import { readNetwork } from '../store/networks.ts';
import { containerFiles } from './container-paths.ts';
import type { Engine } from './context.ts';

type States = readonly EndpointState[];

/**
 * hosts and resolv.conf of a container that runs, after it was connected to a network or disconnected; also those of containers that share its
 * network. What was written into them inside stays. A file that the container has given to another id is left alone, with a warning.
 */
export async function refreshEtcFiles(
  engine: Engine,
  record: ContainerRecord,
  before: States,
  after: States,
): Promise<void> {
  const [old, now] = [addressesOf(before), addressesOf(after)];
  const { hostname, domainname } = record;
  const hosts = {
    names: domainname ? `${hostname}.${domainname} ${hostname}` : hostname,
    gone: old.filter(address => !now.includes(address)),
    added: now.filter(address => !old.includes(address)),
  };
  const [asked, ask] = [await serversOf(engine, before), await serversOf(engine, after)];
  const sharing = await listContainerRecords(engine.paths);
  for (const each of [record, ...sharing.filter(other => other.network.container === record.id)]) {
    const dir = join(engine.paths.root, containerFiles(each.id).dir);
    if (hostname) edit(engine, each, join(dir, 'hosts'), text => changedHosts(text, hosts));
    edit(engine, each, join(dir, 'resolv.conf'), text => changedServers(text, asked, ask));
  }
}

const addressesOf = (states: States): string[] =>
  states.flatMap(state => state.addresses.map(text => text.replace(/\/.*/, '')));

async function serversOf(engine: Engine, states: States): Promise<readonly string[]> {
  const endpoints = [];
  for (const { network: name } of states) {
    const network = await readNetwork(engine.paths, name);
    endpoints.push({ network, gateways: network.pools.map(pool => pool.gateway) });
  }
  return nameserversOf(endpoints);
}

/** In place: it is bound into the container, and a new file would not be. */
function edit(engine: Engine, record: ContainerRecord, path: string, change: (text: string) => string): void {
  try {
    const text = readFileSync(path, 'utf8');
    const changed = Buffer.from(change(text));
    if (changed.equals(Buffer.from(text))) return;
    const fd = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      ftruncateSync(fd, writeSync(fd, changed, 0, changed.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return; // never started, or removed meanwhile
    engine.reporter.warn(
      `${path} of container ${record.name} cannot be brought up to date: ${(error as Error).message}`,
    );
  }
}
