import { TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import type { PortMapping } from '../network/driver.ts';
import {
  addPort,
  ListenError,
  type LiveContainer,
  listening,
  removePort,
  startForwarder,
} from '../network/forward-live.ts';
import { errnoText } from '../runtime/failure.ts';
import { listenFailure } from '../runtime/failure-listen.ts';
import type { Cleanup } from '../util/cleanup.ts';
import { containerRuntimeDir } from './container-paths.ts';
import type { Engine } from './context.ts';
import type { Found } from './find.ts';
import { withHolder } from './port-holder.ts';
import { servedPorts } from './ports-served.ts';

type Ports = readonly PortMapping[];

/** Publishes on a container that runs, each port with its undo; what should be published and is not comes back first. Throws PORT. */
export async function addLive(engine: Engine, found: Found, wanted: Ports, cleanup: Cleanup): Promise<Ports> {
  if (!ownForwarding(found)) await bringBack(engine, found);
  const added: PortMapping[] = [];
  for (const port of wanted) {
    const served = await addOne(engine, found, port);
    for (const one of served) cleanup.push(() => removeLive(engine, found, one));
    added.push(...served);
  }
  return added;
}

/** False when it was not published. */
export async function removeLive(engine: Engine, found: Found, port: PortMapping): Promise<boolean> {
  if (!ownForwarding(found)) return removePort(live(engine, found), port);
  const { slirpUnforward } = await import('../network/slirp4netns.ts');
  return slirpUnforward(containerRuntimeDir(engine, found.record.id), port);
}

/** Is there nobody who forwards the ports of this container? */
export async function isForwarderGone(engine: Engine, found: Found): Promise<boolean> {
  return !ownForwarding(found) && (await listening(live(engine, found))) === undefined;
}

/** A forwarder that was killed, and ports that could not be had when one was brought back before. */
async function bringBack(engine: Engine, found: Found): Promise<void> {
  const container = live(engine, found);
  const there = await listening(container);
  if (!there) await startForwarder(container);
  const isThere = (port: PortMapping): boolean => there?.some(other => isSame(port, other)) ?? false;
  for (const port of servedPorts(engine, found.record, found.state))
    if (!isThere(port)) await listenOn(engine, container, port);
}

const isSame = (a: PortMapping, b: PortMapping): boolean =>
  a.protocol === b.protocol &&
  a.hostIp === b.hostIp &&
  a.hostPort === b.hostPort &&
  a.containerPort === b.containerPort;

async function addOne(engine: Engine, found: Found, port: PortMapping): Promise<Ports> {
  if (!ownForwarding(found)) return listenOn(engine, live(engine, found), port);
  const { slirpForward } = await import('../network/slirp4netns.ts');
  return slirpForward({ runtimeDir: containerRuntimeDir(engine, found.record.id), ports: [port] });
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

/** slirp4netns forwards by itself there. */
const ownForwarding = ({ record }: Found): boolean => record.network.options.port_handler === 'slirp4netns';

const live = (engine: Engine, { record, state }: Found): LiveContainer => ({
  helper: helperPath(),
  id: record.id,
  runtimeDir: containerRuntimeDir(engine, record.id),
  pid: state.pid,
  start: state.start,
});
