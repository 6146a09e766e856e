import { TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import type { PortMapping } from '../network/driver.ts';
import {
  addPort,
  forwarderAnswers,
  ListenError,
  type LiveContainer,
  removePort,
  startForwarder,
} from '../network/forward-live.ts';
import { parsePublish } from '../network/ports.ts';
import { networkDriver } from '../network/select.ts';
import { errnoText } from '../runtime/failure.ts';
import { listenFailure } from '../runtime/failure-listen.ts';
import { changeRecord } from '../store/containers-change.ts';
import { containerRuntimeDir } from './container-paths.ts';
import type { Engine } from './context.ts';
import { type Found, find } from './find.ts';
import { withHolder } from './port-holder.ts';
import { afterRemoval, matches } from './port-match.ts';
import { servedPorts, writeServed } from './ports-served.ts';

type Ports = readonly PortMapping[];

/** What is published now; says so when the forwarder is gone (killed), and with it all of it. */
export async function publishedPorts(engine: Engine, nameOrId: string): Promise<Ports> {
  const found = await find(engine, nameOrId);
  const ports = servedPorts(engine, found.record, found.state);
  if (ports.length > 0 && !ownForwarding(found) && !(await forwarderAnswers(live(engine, found)))) {
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
  let added: Ports = [];
  await changeRecord(engine.paths, found.record.id, async record => {
    const now = { ...found, record };
    const served = servedPorts(engine, record, found.state);
    added = ownForwarding(now) ? await addSlirp(engine, now, wanted) : await addBuiltin(engine, now, wanted);
    writeServed(engine, record.id, [...served, ...added]);
    return { ...record, network: { ...record.network, ports: [...record.network.ports, ...wanted] } };
  });
  return added;
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
    for (const port of removed) await removeOne(engine, { ...found, record }, port);
    const left = served.filter(port => !removed.includes(port));
    writeServed(engine, record.id, left);
    const ports = afterRemoval(record.network.ports, removed, left);
    return { ...record, network: { ...record.network, ports } };
  });
  return removed;
}

async function addBuiltin(engine: Engine, found: Found, wanted: Ports): Promise<Ports> {
  const container = live(engine, found);
  if (!(await forwarderAnswers(container))) {
    await startForwarder(container);
    for (const port of servedPorts(engine, found.record, found.state))
      await listenOn(engine, container, port);
  }
  const added: PortMapping[] = [];
  try {
    for (const port of wanted) added.push(...(await listenOn(engine, container, port)));
    return added;
  } catch (error) {
    for (const port of added) await removePort(container, port);
    throw error;
  }
}

async function listenOn(engine: Engine, container: LiveContainer, port: PortMapping): Promise<Ports> {
  try {
    return await addPort(container, port);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    const { protocol, ip, first, last, inside } = error.fields;
    const known = listenFailure(error.errno, [protocol, ip, first, last, inside].map(String));
    const text = `${known.message}: ${known.reason ?? errnoText(error.errno)}`;
    throw await withHolder(
      engine,
      new TsboxError('PORT', text, {
        ...(known.hint !== undefined && { hint: known.hint }),
        check: known.check,
      }),
    );
  }
}

async function addSlirp(engine: Engine, { record }: Found, ports: Ports): Promise<Ports> {
  const { slirpForward } = await import('../network/slirp4netns.ts');
  return slirpForward({ runtimeDir: containerRuntimeDir(engine, record.id), ports });
}

async function removeOne(engine: Engine, found: Found, port: PortMapping): Promise<boolean> {
  if (!ownForwarding(found)) return removePort(live(engine, found), port);
  const { slirpUnforward } = await import('../network/slirp4netns.ts');
  return slirpUnforward(containerRuntimeDir(engine, found.record.id), port);
}

/** slirp4netns forwards by itself there. */
const ownForwarding = ({ record }: Found): boolean => record.network.options.port_handler === 'slirp4netns';

const live = (engine: Engine, { record, state }: Found): LiveContainer => ({
  helper: helperPath(),
  id: record.id,
  runtimeDir: containerRuntimeDir(engine, record.id),
  pid: state.pid,
  start: state.start,
});

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
