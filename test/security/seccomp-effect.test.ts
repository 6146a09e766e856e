import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eachSyscall } from '../../src/runtime/seccomp/search.ts';
import { defaultFilter } from '../../src/runtime/seccomp.ts';
import { type Abi, AUDIT, evaluate, word } from '../support/bpf-eval.ts';
import { busybox, removeContainers } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { PROJECT } from '../support/source.ts';

/**
 * Every system call, by every ABI of this machine, made inside a container: what the table refuses must be refused with that very errno,
 * and what it allows must end as it ends without a filter.
 */
const test = requires(suite('seccomp: effect'), 'userns', 'busybox', 'cc');
test.after.each(removeContainers);

const native: Abi = process.arch === 'arm64' ? 'arm64' : 'x64';

/** They stop or slow down the probe, or the machine, or end differently each time. */
const LEFT_OUT =
  /^(kill|sync|vfork|clone3?|exit|exit_group|rt_sigreturn|sigreturn|swapon|swapoff|reboot|restart_syscall)$/;

let program: Promise<string> | undefined;

function probe(): Promise<string> {
  program ??= (async () => {
    const path = join((await busybox()).home.dir, 'every-syscall');
    execFileSync('cc', ['-O1', '-static', '-o', path, join(PROJECT, 'test/fixtures/every-syscall.c')]);
    chmodSync(path, 0o755);
    return path;
  })();
  return program;
}

async function results(abi: string, numbers: readonly number[], ...flags: string[]) {
  const box = (await busybox()).with({ limit: 60_000 });
  const out = await box.ok(
    ...['run', '--rm', '--network', 'none', '--root-emulation=false'],
    ...['-v', `${await probe()}:/probe:ro`, ...flags, 'busybox', '/probe', abi, ...numbers.map(String)],
  );
  return out.split('\n').map(line => line.split(' ')[2] ?? '');
}

function numbersOf(abi: Abi): number[] {
  const found: number[] = [];
  eachSyscall(abi, (number, names) => {
    if (!names.some(name => LEFT_OUT.test(name))) found.push(number);
  });
  return found;
}

async function compare(abi: Abi): Promise<void> {
  const filter = await defaultFilter();
  const numbers = [...numbersOf(abi), 500, 999];
  const all = abi === 'ia32' ? 0xffffffffn : -1n;
  const verdicts = numbers.map(nr =>
    word(evaluate(filter, { arch: AUDIT[abi], nr, args: Array.from({ length: 6 }, () => all) })),
  );
  const allowed = numbers.filter((_, i) => verdicts[i] === 'allow');
  const filtered = await results(abi, numbers);
  const free = await results(abi, allowed, '--security-opt', 'seccomp=unconfined');
  const wrong = numbers.flatMap((nr, i) => {
    const expected = verdicts[i] === 'allow' ? free[allowed.indexOf(nr)] : verdicts[i]?.replace('errno ', '');
    return filtered[i] === expected ? [] : [`${abi} ${nr}: ${filtered[i]}, not ${expected} (${verdicts[i]})`];
  });
  assert.equal(wrong, []);
  assert.ok(filtered.filter(answer => answer === '1').length > 50, 'something was refused');
}

test(`every call of ${native} ends as the table says`, () => compare(native));

if (native === 'x64') {
  test('every call through int 0x80, the ABI of i386', () => compare('ia32'));

  test('x32 is not there: no number with its bit is anything but ENOSYS', async () => {
    assert.equal([...new Set(await results('x32', numbersOf('x64')))], ['38']);
  });
}

/** Docker's default refuses these on x86-64 without further capabilities; everything else of Linux 6.18 it allows, or knows not. */
const DOCKER_REFUSES =
  'uselib ustat sysfs pivot_root _sysctl acct settimeofday mount umount2 swapon swapoff reboot sethostname setdomainname iopl ' +
  'ioperm create_module init_module delete_module get_kernel_syms query_module quotactl nfsservctl getpmsg putpmsg afs_syscall ' +
  'tuxcall security lookup_dcookie clock_settime vserver mbind set_mempolicy get_mempolicy kexec_load add_key request_key keyctl ' +
  'migrate_pages unshare move_pages perf_event_open fanotify_init open_by_handle_at setns kcmp finit_module kexec_file_load bpf ' +
  'userfaultfd io_uring_setup io_uring_enter io_uring_register open_tree move_mount fsopen fsconfig fsmount fspick pidfd_getfd ' +
  'process_madvise mount_setattr quotactl_fd set_mempolicy_home_node lsm_get_self_attr lsm_set_self_attr lsm_list_modules ' +
  'syslog vhangup';

test('what is refused is what docker refuses', async () => {
  const filter = await defaultFilter({ arch: 'x64' });
  const refused: string[] = [];
  eachSyscall('x64', (nr, names) => {
    if (word(evaluate(filter, { arch: AUDIT.x64, nr })) === 'errno 1') refused.push(names[0] ?? '');
  });
  assert.equal(refused.sort(), DOCKER_REFUSES.split(' ').sort());
});

test.run();
