import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  contains,
  defaultPools,
  firstFree,
  formatSubnet,
  holds,
  macOf,
  overlap,
  parseSubnet,
  type Subnet,
  sizeOf,
  usable,
} from '../../../src/network/ipam.ts';
import { formatAddress, parseAddress } from '../../../src/util/address.ts';

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('undefined');
  return value;
}

const test = suite('network ipam');
const subnet = (text: string): Subnet => known(parseSubnet(text));
/** A small generator of its own: the same numbers in every run, others with --long. */
let seed = process.env.TSBOX_TEST_LONG ? BigInt(Date.now()) : 42n;
const random = (bits: number): bigint => {
  let value = 0n;
  for (let i = 0; i < bits; i += 16) {
    seed = (seed * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
    value = (value << 16n) | (seed >> 48n);
  }
  return value & ((1n << BigInt(bits)) - 1n);
};

test('addresses of both families, and what is none', () => {
  for (const text of [
    '0.0.0.0',
    '10.0.2.255',
    '255.255.255.255',
    '::',
    '::1',
    'fd00::2:0:0:1',
    '1:2:3:4:5:6:7:8',
  ]) {
    const address = parseAddress(text);
    assert.is(address && formatAddress(address), text);
  }
  assert.is(formatAddress(known(parseAddress('::ffff:1.2.3.4'))), '::ffff:102:304');
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4/8',
    ':',
    ':::',
    '1::2::3',
    'g::',
    '1:2:3:4:5:6:7',
    '12345::',
    '1.2.3.4 ',
    '::1.2.3',
  ])
    assert.is(parseAddress(text), undefined, text);
});

test('whatever number an address is, its text is read as that number', () => {
  for (let i = 0; i < 2000; i++) {
    const family = i % 2 === 0 ? 4 : 6;
    // Words of zeros, so that :: is met in every place.
    const mask = random(8);
    const words = Array.from({ length: 8 }, (_, k) => ((mask >> BigInt(k)) & 1n ? random(16) : 0n));
    const value = family === 4 ? random(32) : words.reduce((sum, word) => (sum << 16n) | word, 0n);
    const text = formatAddress({ family, value });
    assert.is(parseAddress(text)?.value, value, text);
  }
});

test('subnets: containing, holding and overlapping agree with their addresses', () => {
  for (let i = 0; i < 2000; i++) {
    const [a, b] = [0, 1].map(() => {
      const prefix = Number(random(8) % 9n) + 20;
      return subnet(`10.0.${random(3)}.${random(8)}/${prefix}`);
    }) as [Subnet, Subnet];
    const last = a.base + sizeOf(a) - 1n;
    assert.ok(contains(a, { family: 4, value: a.base }) && contains(a, { family: 4, value: last }));
    assert.not(
      contains(a, { family: 4, value: last + 1n }) || contains(a, { family: 4, value: a.base - 1n }),
    );
    const meet = a.base < b.base + sizeOf(b) && b.base < a.base + sizeOf(a);
    assert.is(overlap(a, b), meet, `${formatSubnet(a)} ${formatSubnet(b)}`);
    assert.is(holds(a, b), a.base <= b.base && b.base + sizeOf(b) <= a.base + sizeOf(a));
  }
  assert.not(overlap(subnet('10.0.0.0/8'), subnet('a00::/8')));
});

test('no address is given twice, none outside, none that nobody may have, until all are', () => {
  for (let i = 0; i < 60; i++) {
    const whole = subnet(`10.1.${random(8)}.0/${24 + Number(random(2))}`);
    const range = subnet(
      `${formatAddress({ family: 4, value: whole.base + (random(8) % sizeOf(whole)) })}/${26 + Number(random(2))}`,
    );
    const taken = new Set<string>();
    for (
      let next = firstFree(whole, range, a => taken.has(a));
      next !== undefined;
      next = firstFree(whole, range, a => taken.has(a))
    ) {
      const address = known(parseAddress(next));
      assert.not(taken.has(next));
      assert.ok(contains(whole, address) && contains(range, address));
      assert.not(address.value === whole.base || address.value === whole.base + sizeOf(whole) - 1n);
      taken.add(next);
    }
    const { first, last } = usable(whole);
    const [low, high] = [range.base, range.base + sizeOf(range) - 1n];
    const most = (high < last ? high : last) - (low > first ? low : first) + 1n;
    assert.is(BigInt(taken.size), most > 0n ? most : 0n);
  }
});

test('subnets that are none', () => {
  for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '/8', 'fd00::/129', '10.0.0.0/-1', 'x/8'])
    assert.is(parseSubnet(text), undefined, text);
  assert.is(formatSubnet(subnet('10.1.2.3/16')), '10.1.0.0/16');
});

test('docker’s pools, in its order; hardware addresses as it makes them', () => {
  const pools = [...defaultPools()].map(formatSubnet);
  assert.equal([pools[0], pools.at(-1), pools.length], ['172.18.0.0/16', '192.168.240.0/20', 30]);
  assert.is(macOf(known(parseAddress('172.18.0.2'))), '02:42:ac:12:00:02');
});

test.run();
