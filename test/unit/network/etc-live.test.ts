import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { changedHosts, changedServers, nameserversOf } from '../../../src/network/etc-live.ts';

const test = suite('hosts and resolv.conf of a container that runs');

const HOSTS = '127.0.0.1\tlocalhost\n172.18.0.2\tweb\n10.1.1.1\tmine\n';

test('hosts: only the lines of its own name come and go', () => {
  const both = changedHosts(HOSTS, { names: 'web', gone: [], added: ['172.19.0.2', 'fd00::2'] });
  assert.is(both, `${HOSTS}172.19.0.2\tweb\nfd00::2\tweb\n`);
  assert.is(changedHosts(both, { names: 'web', gone: ['172.19.0.2', 'fd00::2'], added: [] }), HOSTS);
  const named = changedHosts('172.18.0.2\tother\n', { names: 'web', gone: ['172.18.0.2'], added: [] });
  assert.is(named, '172.18.0.2\tother\n', 'a line that somebody wrote');
});

test('hosts: a last line without an end gets one', () => {
  assert.is(
    changedHosts('1.1.1.1\ta', { names: 'web', gone: [], added: ['2.2.2.2'] }),
    '1.1.1.1\ta\n2.2.2.2\tweb\n',
  );
});

test('resolv.conf: the servers change where they are, the rest stays', () => {
  const text = 'search x\nnameserver 172.18.0.1\noptions ndots:0\n';
  const changed = 'search x\nnameserver 172.19.0.1\nnameserver fd00::1\noptions ndots:0\n';
  assert.is(changedServers(text, ['172.18.0.1'], ['172.19.0.1', 'fd00::1']), changed);
  assert.is(changedServers(changed, ['172.19.0.1', 'fd00::1'], ['172.18.0.1']), text);
});

test('resolv.conf: none, and one after none', () => {
  assert.is(changedServers('nameserver 1.1.1.1\noptions a\n', ['1.1.1.1'], []), 'options a\n');
  assert.is(changedServers('options a\n', [], ['1.1.1.1']), 'options a\nnameserver 1.1.1.1\n');
  assert.is(changedServers('', [], ['1.1.1.1']), 'nameserver 1.1.1.1\n');
});

test('resolv.conf: servers that somebody wrote stay', () => {
  const text = 'nameserver 9.9.9.9\n';
  assert.is(changedServers(text, ['172.18.0.1'], ['172.19.0.1']), text);
});

test('the first network with a way out is asked; without one, the first', () => {
  const [closed, open] = [
    { network: { internal: true }, gateways: ['172.18.0.1'] },
    { network: { internal: false }, gateways: ['172.19.0.1'] },
  ];
  assert.equal(nameserversOf([closed, open]), ['172.19.0.1']);
  assert.equal(nameserversOf([closed]), ['172.18.0.1']);
  assert.equal(nameserversOf([]), []);
});

test.run();
