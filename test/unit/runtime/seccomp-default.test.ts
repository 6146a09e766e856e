import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_CAPABILITIES, capabilityMask, DEFAULT_CAPABILITIES } from '../../../src/runtime/capabilities.ts';
import { eachSyscall } from '../../../src/runtime/seccomp/search.ts';
import { cachedDefaultFilter, defaultFilter, FILTER_REVISION } from '../../../src/runtime/seccomp.ts';
import { type Abi, AUDIT, answer, evaluate, syscallNumber } from '../../support/bpf-eval.ts';

const test = suite('seccomp default profile');

const x64 = await defaultFilter({ arch: 'x64' });
const arm64 = await defaultFilter({ arch: 'arm64' });
const admin = await defaultFilter({ arch: 'x64', caps: ALL_CAPABILITIES });
const bare = await defaultFilter({ arch: 'x64', caps: 0n });

const verdicts: [string, Uint8Array, Abi, string, readonly (number | bigint)[], string][] = [
  ['ordinary calls', x64, 'x64', 'read', [], 'allow'],
  ['ordinary calls', x64, 'ia32', 'read', [], 'allow'],
  ['ordinary calls', arm64, 'arm64', 'openat', [], 'allow'],
  ['ordinary calls', arm64, 'arm', 'open', [], 'allow'],
  ['mount needs CAP_SYS_ADMIN', x64, 'x64', 'mount', [], 'errno 1'],
  ['mount with CAP_SYS_ADMIN', admin, 'x64', 'mount', [], 'allow'],
  ['mount on the 32-bit ABI', x64, 'ia32', 'umount', [], 'errno 1'],
  ['new mount API', x64, 'x64', 'fsopen', [], 'errno 1'],
  ['pivot_root is never allowed', admin, 'x64', 'pivot_root', [], 'errno 1'],
  ['clone of a thread', x64, 'x64', 'clone', [0x3d0f00], 'allow'],
  ['clone with NEWUSER', x64, 'x64', 'clone', [0x10000000], 'errno 1'],
  ['clone with NEWCGROUP', x64, 'x64', 'clone', [0x02000011], 'errno 1'],
  ['clone with NEWNS', x64, 'ia32', 'clone', [0x00020011], 'errno 1'],
  ['clone with NEWUSER and CAP_SYS_ADMIN', admin, 'x64', 'clone', [0x10000000], 'allow'],
  ['clone3 is not there', x64, 'x64', 'clone3', [], 'errno 38'],
  ['clone3 with CAP_SYS_ADMIN', admin, 'x64', 'clone3', [], 'allow'],
  ['unshare', x64, 'x64', 'unshare', [0x10000000], 'errno 1'],
  ['setns', x64, 'x64', 'setns', [], 'errno 1'],
  ['TIOCSTI', x64, 'x64', 'ioctl', [0, 0x5412], 'errno 1'],
  ['TIOCSTI with upper bits', x64, 'x64', 'ioctl', [0, 0x1_0000_5412], 'errno 1'],
  ['TIOCSTI with CAP_SYS_ADMIN', admin, 'x64', 'ioctl', [0, 0x5412], 'errno 1'],
  ['TIOCSTI through int 0x80', x64, 'ia32', 'ioctl', [0, 0x5412], 'errno 1'],
  ['TIOCSTI on arm64', arm64, 'arm64', 'ioctl', [0, 0x5412], 'errno 1'],
  ['TIOCLINUX', x64, 'x64', 'ioctl', [0, 0x541c], 'errno 1'],
  ['TCGETS', x64, 'x64', 'ioctl', [0, 0x5401], 'allow'],
  ['personality 0', x64, 'x64', 'personality', [0], 'allow'],
  ['personality query', x64, 'x64', 'personality', [0xffffffff], 'allow'],
  ['ADDR_NO_RANDOMIZE', x64, 'x64', 'personality', [0x0040000], 'errno 1'],
  ['READ_IMPLIES_EXEC with upper bits', x64, 'x64', 'personality', [0x1_0040_0000], 'errno 1'],
  ['io_uring', x64, 'x64', 'io_uring_setup', [], 'errno 1'],
  ['io_uring with every capability', admin, 'x64', 'io_uring_setup', [], 'errno 1'],
  ['keyctl', x64, 'x64', 'keyctl', [], 'errno 1'],
  ['bpf', x64, 'x64', 'bpf', [], 'errno 1'],
  [
    'bpf with CAP_BPF',
    await defaultFilter({ arch: 'x64', caps: capabilityMask(['BPF']) }),
    'x64',
    'bpf',
    [],
    'allow',
  ],
  ['userfaultfd', x64, 'x64', 'userfaultfd', [], 'errno 1'],
  ['kexec_load', admin, 'x64', 'kexec_load', [], 'errno 1'],
  ['chroot by default', x64, 'x64', 'chroot', [], 'allow'],
  ['chroot without its capability', bare, 'x64', 'chroot', [], 'errno 1'],
  ['settimeofday', x64, 'x64', 'settimeofday', [], 'errno 1'],
  ['init_module', x64, 'x64', 'finit_module', [], 'errno 1'],
  ['ptrace', x64, 'x64', 'ptrace', [], 'allow'],
  ['process_vm_readv', bare, 'x64', 'process_vm_readv', [], 'allow'],
  ['arch_prctl', x64, 'x64', 'arch_prctl', [], 'allow'],
  ['cacheflush on arm', arm64, 'arm', 'cacheflush', [], 'allow'],
  ['set_mempolicy', x64, 'x64', 'set_mempolicy', [], 'errno 1'],
  ['open_by_handle_at', x64, 'x64', 'open_by_handle_at', [], 'errno 1'],
  ['socketcall', x64, 'ia32', 'socketcall', [1], 'allow'],
];
for (const [title, program, abi, name, args, expected] of verdicts) {
  test(`${title} (${abi} ${name} ${args})`, () => assert.is(answer(program, abi, name, ...args), expected));
}

test('address families: the living ones, not AF_ALG, AF_VSOCK, or what the kernel dropped', () => {
  const refused = [12, 19, 20, 23, 25, 34, 37, 38, 40];
  for (let family = 0; family < 60; family++) {
    const expected = family <= 45 && !refused.includes(family) ? 'allow' : 'errno 1';
    for (const abi of ['x64', 'ia32'] as const)
      assert.is(answer(x64, abi, 'socket', family), expected, `family ${family}`);
  }
  // The kernel looks at an int: these bits must not help past the filter.
  assert.is(answer(x64, 'x64', 'socket', (1n << 32n) | 38n), 'errno 1');
});

test('numbers that no kernel knows yet get ENOSYS on every ABI', () => {
  for (const [program, abi] of [
    [x64, 'x64'],
    [x64, 'ia32'],
    [arm64, 'arm64'],
    [arm64, 'arm'],
  ] as const) {
    for (const nr of [470, 500, 1000, 0x3fffffff]) assert.is(answer(program, abi, nr), 'errno 38');
  }
});

test('more capabilities never take a call away', () => {
  for (const abi of ['x64', 'ia32'] as const) {
    eachSyscall(abi, (nr, names) => {
      if (answer(bare, abi, nr) === 'allow') assert.is(answer(admin, abi, nr), 'allow', `${names}`);
      if (answer(bare, abi, nr) === 'allow') assert.is(answer(x64, abi, nr), 'allow', `${names}`);
    });
  }
});

test('frequent calls cost few instructions, no call many', () => {
  const cost = (name: string | number): number => {
    const count = { steps: 0 };
    const nr = typeof name === 'number' ? name : syscallNumber('x64', name);
    evaluate(x64, { arch: AUDIT.x64, nr }, count);
    return count.steps;
  };
  for (const name of [
    'read',
    'write',
    'close',
    'mmap',
    'futex',
    'openat',
    'newfstatat',
    'epoll_wait',
    'recvfrom',
    'getpid',
  ]) {
    assert.ok(cost(name) <= 11, `${name}: ${cost(name)}`);
  }
  eachSyscall('x64', (nr, names) => assert.ok(cost(nr) <= 50, `${names}: ${cost(nr)}`));
});

test('programs are as long as the kernel takes', () => {
  for (const program of [x64, arm64, admin, bare]) {
    assert.is(program.length % 8, 0);
    assert.ok(program.length / 8 < 1000);
  }
});

test('the revision says when the filter has changed: raise FILTER_REVISION and put the new digest here', async () => {
  const hash = createHash('sha256');
  for (const arch of ['x64', 'arm64']) {
    for (const caps of [0n, DEFAULT_CAPABILITIES, ALL_CAPABILITIES]) {
      for (const rootEmulation of [false, true])
        hash.update(await defaultFilter({ arch, caps, rootEmulation, generator: 'own' }));
    }
  }
  const digests: Record<number, string> = { 2: '314f333287df0fb5' };
  assert.is(hash.digest('hex').slice(0, 16), digests[FILTER_REVISION]);
});

test('an architecture without a table is said', async () => {
  let message = '';
  await defaultFilter({ arch: 's390x' }).catch(e => {
    message = e.message;
  });
  assert.match(message, /no seccomp filter for the architecture s390x/);
});

const dir = mkdtempSync(join(tmpdir(), 'tsbox-seccomp-'));
const NOT_SHIPPED = join(dir, 'none');
test.after(() => rmSync(dir, { recursive: true, force: true }));

test('cache: the same filter, kept in a private file', async () => {
  const cache = join(dir, 'a');
  const first = await cachedDefaultFilter(cache, { arch: 'x64' }, NOT_SHIPPED);
  assert.equal([...first], [...x64]);
  const [name = ''] = readdirSync(cache);
  assert.is(readdirSync(cache).length, 1);
  assert.is(statSync(join(cache, name)).mode & 0o777, 0o600);
  assert.is(statSync(cache).mode & 0o777, 0o700);
  writeFileSync(join(cache, name), arm64);
  assert.equal(
    [...(await cachedDefaultFilter(cache, { arch: 'x64' }, NOT_SHIPPED))],
    [...arm64],
    'it is read, not made again',
  );
});

test('cache: different options have different files', async () => {
  const cache = join(dir, 'b');
  for (const options of [{}, { caps: 0n }, { rootEmulation: true }, { arch: 'arm64' }]) {
    const program = await cachedDefaultFilter(cache, { arch: 'x64', ...options }, NOT_SHIPPED);
    assert.equal([...program], [...(await defaultFilter({ arch: 'x64', ...options }))]);
  }
  assert.is(readdirSync(cache).length, 4);
});

for (const [what, content] of [
  ['empty', Buffer.alloc(0)],
  ['zeros', Buffer.alloc(800)],
  ['torn', Buffer.from(x64.subarray(0, 1001))],
] as const) {
  test(`cache: a file that is ${what} is made again`, async () => {
    const cache = join(dir, what);
    await cachedDefaultFilter(cache, { arch: 'x64' }, NOT_SHIPPED);
    const [name = ''] = readdirSync(cache);
    writeFileSync(join(cache, name), content);
    assert.equal([...(await cachedDefaultFilter(cache, { arch: 'x64' }, NOT_SHIPPED))], [...x64]);
    assert.equal([...readFileSync(join(cache, name))], [...x64]);
  });
}

test('cache: a directory that cannot be made costs nothing but time', async () => {
  writeFileSync(join(dir, 'file'), '');
  assert.equal(
    [...(await cachedDefaultFilter(join(dir, 'file/below'), { arch: 'x64' }, NOT_SHIPPED))],
    [...x64],
  );
});

test.run();
