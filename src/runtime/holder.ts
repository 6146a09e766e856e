import type { Duplex } from 'node:stream';
import { TsboxError } from '../errors.ts';
import { spawnHelper } from '../host/spawn.ts';
import { Channel } from './channel.ts';
import { type HolderHeader, holderRecord, PROTOCOL_VERSION } from './header.ts';
import { StreamLink } from './link.ts';

/** One request to the holder of the networks, for a container that runs. Rejects with NETWORK and its reason. */
export async function askHolder(helper: string, header: HolderHeader): Promise<void> {
  const child = spawnHelper(helper, ['network', ''], {
    argv0: 'tsbox:',
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const closed = new Promise<void>(resolve => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  const channel = new Channel(new StreamLink(child.stdio[3] as Duplex));
  channel.send([['version', PROTOCOL_VERSION], holderRecord(header)]);
  const event = await channel.next();
  channel.close();
  await closed;
  if (event?.type === 'service' && event.ready) return;
  const why = event?.type === 'service' || event?.type === 'failed' ? event.detail : 'the helper ended early';
  throw new TsboxError('NETWORK', `the network cannot be set up: ${why}`, {
    check: 'uplink-failed',
    exitCode: 1,
  });
}
