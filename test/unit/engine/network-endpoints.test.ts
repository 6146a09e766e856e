import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readEndpoints, takeEndpoints } from '../../../src/engine/network-endpoints.ts';
import type { TsboxError } from '../../../src/errors.ts';
import { bootId, processStart } from '../../../src/host/probe.ts';
import { newId } from '../../../src/store/atomic.ts';
import type { ContainerRecord } from '../../../src/store/container-record.ts';
import { ownIdentity } from '../../../src/store/containers-owner.ts';
import { sweepAddresses } from '../../../src/store/network-addresses.ts';
import type { EndpointRecord, NetworkRecord } from '../../../src/store/network-record.ts';
import { networkDirectory, placeNetwork } from '../../../src/store/networks.ts';
import { addContainer, engineOf, tempStore } from '../../support/container-store.ts';

const test = suite('engine/network-endpoints');
const DEAD = `${process.pid}-1-00000000-0000-0000-0000-000000000000`;
/** A process that lives and is not we. */
const RIVAL = `${process.ppid}-${processStart(process.ppid)}-${bootId()}`;

async function scene(...networks: EndpointRecord[]) {
  const paths = tempStore();
  mkdirSync(paths.networks, { recursive: true });
  for (const name of ['lab', 'web']) await placeNetwork(paths, network(name));
  const engine = engineOf(paths);
  const add = () => addContainer(paths, { network: networkOf(networks) });
  const directory = networkDirectory(paths, 'lab');
  const place = (address: string): string => join(directory, 'addresses', address);
  return {
    engine,
    add,
    record: await add(),
    taken: () => readdirSync(join(directory, 'addresses')).sort(),
    entries: (address: string) => readdirSync(place(address)),
    /** As if that process had taken it, whoever had. */
    give: (address: string, container: ContainerRecord, to: string) => {
      rmSync(place(address), { recursive: true, force: true });
      mkdirSync(place(address));
      writeFileSync(join(place(address), `${container.id}.${to}`), '');
    },
    sweep: () => sweepAddresses(paths, directory),
  };
}

const network = (name: string): NetworkRecord => ({
  version: 1,
  id: newId(),
  name,
  created: '2026-01-02T03:04:05.678Z',
  driver: 'bridge',
  internal: false,
  labels: {},
  options: {},
  mtu: 1500,
  pools: [
    name === 'lab'
      ? { subnet: '10.77.0.0/29', gateway: '10.77.0.1' }
      : { subnet: '10.78.0.0/29', gateway: '10.78.0.1' },
  ],
});
const networkOf = (networks: readonly EndpointRecord[]): ContainerRecord['network'] => ({
  driver: 'bridge',
  options: {},
  ports: [],
  networks,
});
const addressesOf = (endpoints: readonly { addresses: readonly string[] }[]): string[] =>
  endpoints.flatMap(each => each.addresses);

test('two first starts at once have the same address, and it is written down', async () => {
  const { engine, record, taken } = await scene({ network: 'lab' });
  const both = await Promise.all([takeEndpoints(engine, record), takeEndpoints(engine, record)]);
  const [one = [], two = []] = both.map(addressesOf);
  assert.equal(one, two);
  assert.equal(addressesOf(readEndpoints(engine, record.id)), one);
  assert.equal(taken(), ['10.77.0.2']);
});

for (const ip of [undefined, '10.77.0.5'] as const) {
  test(`an address that another process has just taken for it stays that one's (--ip ${ip})`, async () => {
    const wanted = { network: 'lab', ...(ip !== undefined && { ip }) };
    const { engine, record, give, entries, taken } = await scene(wanted);
    const address = ip ?? '10.77.0.2';
    await takeEndpoints(engine, record);
    give(address, record, RIVAL);
    assert.equal(addressesOf(await takeEndpoints(engine, record)), [`${address}/29`]);
    assert.equal([entries(address), taken()], [[`${record.id}.${RIVAL}`], [address]]);
  });
}

test('that of its last start is kept, and is now of this one', async () => {
  const { engine, record, add, give, entries, sweep } = await scene({ network: 'lab' });
  give('10.77.0.2', await add(), RIVAL);
  assert.equal(addressesOf(await takeEndpoints(engine, record)), ['10.77.0.3/29']);
  give('10.77.0.2', await add(), DEAD);
  give('10.77.0.3', record, DEAD);
  assert.equal(addressesOf(await takeEndpoints(engine, record)), ['10.77.0.3/29']);
  assert.equal(entries('10.77.0.3'), [`${record.id}.${ownIdentity()}`]);
  await sweep();
  assert.equal(addressesOf(await takeEndpoints(engine, await add())), ['10.77.0.2/29']);
});

test('one that somebody has got meanwhile is his; those of networks that it has left are given back', async () => {
  const { engine, record, add, give, taken } = await scene({ network: 'lab' });
  await takeEndpoints(engine, record);
  give('10.77.0.2', await add(), RIVAL);
  assert.equal(addressesOf(await takeEndpoints(engine, record)), ['10.77.0.3/29']);
  const moved = { ...record, network: networkOf([{ network: 'web' }]) };
  assert.equal(addressesOf(await takeEndpoints(engine, moved)), ['10.78.0.2/29']);
  assert.equal(taken(), ['10.77.0.2']);
});

test('a start that fails gives back what it has taken, not what another process has', async () => {
  const { engine, record, give, taken } = await scene({ network: 'lab' }, { network: 'gone' });
  const fails = () =>
    takeEndpoints(engine, record).then(
      () => assert.unreachable(),
      (error: TsboxError) => assert.is(error.code, 'NOT_FOUND'),
    );
  await fails();
  assert.equal(taken(), []);
  const alone = { ...record, network: networkOf([{ network: 'lab' }]) };
  await takeEndpoints(engine, alone);
  give('10.77.0.2', record, RIVAL);
  await fails();
  assert.equal(taken(), ['10.77.0.2']);
});

test.run();
