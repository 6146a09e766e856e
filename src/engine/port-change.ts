import { TsboxError } from '../errors.ts';
import type { PortMapping } from '../network/driver.ts';
import { parsePublish } from '../network/ports.ts';
import { networkDriver } from '../network/select.ts';
import { changeRecord } from '../store/containers-change.ts';
import { withCleanup } from '../util/cleanup.ts';
import type { Engine } from './context.ts';
import { type Found, find } from './find.ts';
import { addLive, isForwarderGone, removeLive } from './port-live.ts';
import { afterRemoval, matches } from './port-match.ts';
import { servedPorts, writeServed } from './ports-served.ts';

type Ports = readonly PortMapping[];

/** What is published now; says so when the forwarder is gone (killed), and with it all of it. */
export async function publishedPorts(engine: Engine, nameOrId: string): Promise<Ports> {
  const found = await find(engine, nameOrId);
  const ports = servedPorts(engine, found.record, found.state);
  if (ports.length > 0 && (await isForwarderGone(engine, found))) {
    const { name } = found.record;
    engine.reporter.warn(
      `the port forwarder of ${name} is gone, nothing is published; 'tsbox port add ${name}' brings it back`,
    );
  }
  return ports;
}

/** `port add`. Without specifications it only brings back a forwarder that was killed. All or nothing. */
export async function publishPorts(
  engine: Engine,
  nameOrId: string,
  specs: readonly string[],
): Promise<Ports> {
  const wanted = await parsePublish(specs, engine.config.network.publishAddress);
  const found = await running(engine, nameOrId);
  return withCleanup(async cleanup => {
    let added: Ports = [];
    await changeRecord(engine.paths, found.record.id, async record => {
      const served = servedPorts(engine, record, found.state);
      added = await addLive(engine, { ...found, record }, wanted, cleanup);
      cleanup.push(() => writeServed(engine, record.id, served));
      writeServed(engine, record.id, [...served, ...added]);
      return { ...record, network: { ...record.network, ports: [...record.network.ports, ...wanted] } };
    });
    return added;
  });
}

/** `port rm`. NOT_FOUND when a specification fits nothing that is published. */
export async function unpublishPorts(
  engine: Engine,
  nameOrId: string,
  specs: readonly string[],
): Promise<Ports> {
  const asked = await Promise.all(specs.map(async spec => [spec, await parsePublish([spec])] as const));
  const found = await running(engine, nameOrId);
  const removed: PortMapping[] = [];
  await changeRecord(engine.paths, found.record.id, async record => {
    const served = servedPorts(engine, record, found.state);
    for (const [spec, wanted] of asked) {
      const hit = served.filter(port => wanted.some(w => matches(w, port)));
      if (hit.length === 0) throw notPublished(spec, record.name);
      removed.push(...hit.filter(port => !removed.includes(port)));
    }
    for (const port of removed) await removeLive(engine, { ...found, record }, port);
    const left = served.filter(port => !removed.includes(port));
    writeServed(engine, record.id, left);
    const ports = afterRemoval(record.network.ports, removed, left);
    return { ...record, network: { ...record.network, ports } };
  });
  return removed;
}

async function running(engine: Engine, nameOrId: string): Promise<Found> {
  const found = await find(engine, nameOrId);
  const { name, network } = found.record;
  if (found.state.status !== 'running')
    throw new TsboxError('BAD_STATE', `container ${name} is not running`, { hint: `tsbox start ${name}` });
  if (networkDriver(network.driver).publish) return found;
  throw new TsboxError(
    'USAGE',
    `container ${name} has the network ${network.driver}: it has no ports to publish`,
    {
      hint: 'run it with another network',
    },
  );
}

const notPublished = (spec: string, name: string): TsboxError =>
  new TsboxError('NOT_FOUND', `no public port '${spec}' published for ${name}`, {
    hint: `'tsbox port ${name}' lists them`,
  });
