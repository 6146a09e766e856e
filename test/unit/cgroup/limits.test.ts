import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { approximate } from '../../../src/cgroup/approximate.ts';
import { ioWeight, niceOfWeight, parseCpuList, weightOfShares } from '../../../src/cgroup/convert.ts';
import type { Resources } from '../../../src/cgroup/driver.ts';
import { settings } from '../../../src/cgroup/limits.ts';

const test = suite('cgroup/limits');
const MiB = 1024 * 1024;

/** Resources, and `file = value` for each line that is written. */
const TABLE: ReadonlyArray<readonly [Resources, readonly string[]]> = [
  [{}, []],
  [{ memory: 64 * MiB }, ['memory.max = 67108864', 'memory.swap.max = 67108864']],
  [{ memory: 64 * MiB, memorySwap: 64 * MiB }, ['memory.max = 67108864', 'memory.swap.max = 0']],
  [{ memory: 64 * MiB, memorySwap: -1 }, ['memory.max = 67108864', 'memory.swap.max = max']],
  [{ memorySwap: -1 }, ['memory.swap.max = max']],
  [{ memoryReservation: 6 * MiB }, ['memory.low = 6291456']],
  [{ nanoCpus: 1_500_000_000 }, ['cpu.max = 150000 100000']],
  [{ nanoCpus: 10_000_000 }, ['cpu.max = 1000 100000']],
  [{ cpuQuota: 5000, cpuPeriod: 10_000 }, ['cpu.max = 5000 10000']],
  [{ cpuQuota: -1 }, ['cpu.max = max 100000']],
  [{ cpuPeriod: 20_000 }, ['cpu.max = max 20000']],
  [{ cpuShares: 512 }, ['cpu.weight = 59']],
  [{ cpuWeight: 7 }, ['cpu.weight = 7']],
  [{ cpusetCpus: '0-1', cpusetMems: '0' }, ['cpuset.cpus = 0-1', 'cpuset.mems = 0']],
  [{ pidsLimit: 10 }, ['pids.max = 10']],
  [{ pidsLimit: -1 }, ['pids.max = max']],
  [{ pidsLimit: 0 }, []],
  [{ blkioWeight: 500 }, ['io.weight = 4950']],
  [
    {
      devices: [
        { flag: '--device-read-bps', path: '/dev/a', value: 1024 },
        { flag: '--device-write-iops', path: '/dev/a', value: 7 },
        { flag: '--device-read-iops', path: '/dev/a', value: 0 },
        { flag: '--blkio-weight-device', path: '/dev/a', value: 10 },
      ],
    },
    ['io.max = 8:0 rbps=1024', 'io.max = 8:0 wiops=7', 'io.max = 8:0 riops=max', 'io.weight = 8:0 1'],
  ],
];

for (const [resources, expected] of TABLE) {
  test(JSON.stringify(resources), () => {
    const lines = settings(resources, () => '8:0').map(s => `${s.file} = ${s.value}`);
    assert.equal(lines, expected);
  });
}

test('shares become weights as runc converts them: through 2, 1024 and 262144', () => {
  const pairs = [0, 2, 102, 512, 1024, 262_143, 262_144, 999_999].map(weightOfShares);
  assert.equal(pairs, [1, 1, 17, 59, 100, 10_000, 10_000, 10_000]);
  for (let shares = 2, last = 0; shares <= 262_144; shares += 997) {
    const weight = weightOfShares(shares);
    assert.ok(weight >= last && weight >= 1 && weight <= 10_000);
    last = weight;
  }
});

test('weights of disks and niceness', () => {
  assert.equal([10, 100, 500, 1000].map(ioWeight), [1, 910, 4950, 10_000]);
  assert.equal([10_000, 100, 80, 50, 10, 1].map(niceOfWeight), [0, 0, 1, 3, 10, 19]);
});

test('lists of processors', () => {
  assert.equal(parseCpuList('0-2,4'), [0, 1, 2, 4]);
  assert.equal(parseCpuList('3,1'), [1, 3]);
  for (const bad of ['', 'a', '2-1', '1-', '-1', '1,,2', '1.5', '99999'])
    assert.is(parseCpuList(bad), undefined, bad);
});

test('best effort: what comes near, and what stays refused', () => {
  const resources: Resources = { memory: 64 * MiB, nanoCpus: 1_500_000_000, cpuShares: 512, pidsLimit: 5 };
  const wanted = settings(resources).filter(s => !s.implied);
  const refused = wanted.map(s => ({ flag: s.flag, status: 'refused' as const, detail: 'why' }));
  const { approximation, outcomes } = approximate(resources, refused, [0, 1, 2, 3]);
  assert.equal(approximation, { addressSpace: 64 * MiB, cpus: [0, 1], nice: 2 });
  assert.equal(
    outcomes.map(o => `${o.flag} ${o.status}`),
    ['--memory approximated', '--cpus approximated', '--cpu-shares approximated', '--pids-limit refused'],
  );
});

test('best effort: what is applied is left alone; a set of processors that are not there is refused', () => {
  const applied = { flag: '--memory', status: 'applied', detail: '' } as const;
  assert.equal(approximate({ memory: 1 }, [applied], [0]).approximation, {});
  const refused = { flag: '--cpuset-cpus', status: 'refused', detail: '' } as const;
  assert.is(approximate({ cpusetCpus: '7' }, [refused], [0]).outcomes[0]?.status, 'refused');
});

test.run();
