import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { endpointRecords, networkRecords } from '../../../src/network/bridge-records.ts';
import type { HolderRecord, Network } from '../../../src/network/networks.ts';

const test = suite('network bridge records');

const network: Network = {
  id: 'n'.repeat(64),
  name: 'one',
  internal: false,
  mtu: 1500,
  pools: [{ subnet: '172.18.0.0/16', gateway: '172.18.0.1' }],
};
const endpoint = {
  network,
  device: 'eth0',
  addresses: ['172.18.0.2/16'],
  gateways: ['172.18.0.1'],
  mac: '02:42:ac:12:00:02',
  servers: [],
  names: ['web'],
};
const programs = { uplink: ['slirp4netns'], filter: { nft: '/usr/sbin/nft' } };
const at = (records: readonly HolderRecord[], head: string): number =>
  records.findIndex(record => record.join(' ').startsWith(head));

test('frames between containers pass no rules of iptables; a kernel without br_netfilter is no failure', () => {
  const records = networkRecords(network, programs);
  for (const family of ['ip', 'ip6', 'arp']) {
    const rule = at(records, `?write /proc/sys/net/bridge/bridge-nf-call-${family}tables 0`);
    assert.ok(rule > 0 && rule < at(records, 'bridge br0'), family);
  }
});

test('what leaves through the uplink is masqueraded, and only answers come in', () => {
  const rules = networkRecords(network, programs).find(([op]) => op === 'run')?.[1] ?? '';
  assert.match(rules, /oifname "tap0" masquerade/);
  assert.match(rules, /iifname "tap0" ct state established,related accept; iifname "tap0" drop/);
  const internal = networkRecords({ ...network, internal: true }, { ...programs, uplink: undefined });
  assert.equal([at(internal, 'run'), at(internal, 'write'), at(internal, 'uplink')], [-1, -1, -1]);
});

test('packets of the same length in one piece at both ends of the pair, each in its namespace; an older kernel is no failure', () => {
  const records = endpointRecords('c'.repeat(64), endpoint, 0);
  const inside = at(records, 'inside');
  const [outer, inner] = [at(records, '?segment vcccccccccc0'), at(records, '?segment eth0')];
  assert.ok(at(records, 'veth') < outer && outer < inside && inside < inner, records.join('\n'));
  assert.is(records[outer]?.[2], records[inner]?.[2]);
});

test('an internal network has no default route', () => {
  const apart = endpointRecords('c'.repeat(64), { ...endpoint, network: { ...network, internal: true } }, 0);
  assert.is(at(apart, 'route'), -1);
  assert.is(at(endpointRecords('c'.repeat(64), endpoint, 1), 'route default 172.18.0.1 eth0 101') > 0, true);
});

test.run();
