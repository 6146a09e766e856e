import { rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { messageOf, TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import { builtin } from '../util/builtin.ts';
import type { Engine } from './context.ts';
import { capture } from './run.ts';
import type { CreateOptions, DoctorCheck } from './types.ts';

const PROBE = '/tsbox-probe';

/** What the helper's role `probe` tries (helpers/isolation/probe.c), in its order. */
const TRIED: Readonly<Record<string, string>> = {
  'host-file': 'Read a file of the machine',
  'host-file-root': 'Read it through /proc/1/root',
  signal: 'Signal a process of the machine',
  ptrace: 'Trace a process of the machine',
  loopback: "Reach the machine's loopback",
  gateway: 'Reach it through the gateway',
  core_pattern: 'Write core_pattern',
  sysrq: 'Write sysrq-trigger',
  sys: 'Write to /sys',
  cgroup: 'Write to the cgroup tree',
  'own-program': 'Write to the program that it runs',
  kcore: 'Read the memory of the kernel',
  keys: 'See keys',
  mount: 'Mount',
  unshare: 'Make a user namespace',
  clone: 'Make one with clone',
  clone3: 'Make one with clone3',
  setns: 'Enter a namespace',
  bpf: 'Load BPF',
  perf_event_open: 'Watch by perf',
  keyctl: 'Use keys',
  io_uring_setup: 'Use io_uring',
  userfaultfd: 'Use userfaultfd',
  init_module: 'Load a module',
  AF_VSOCK: 'Reach the hypervisor (vsock)',
  AF_ALG: "Use the kernel's crypto sockets",
  TIOCSTI: 'Type into the terminal',
  open_by_handle_at: 'Open by handle',
  device: 'Make and open a disk',
  capabilities: "More capabilities than docker's",
  inheritable: 'Inheritable capabilities',
  seccomp: 'No filter of system calls',
  core: 'Dump core',
  descriptors: 'Descriptors of the starter',
  landlock: 'No second wall (Landlock)',
};

/** Not promised everywhere: said, and no failure. */
const OPTIONAL = new Set(['landlock']);

/**
 * `doctor --isolation`: a container with default flags that tries what must not work. The status `ok` means that it did not.
 * Never throws.
 */
export async function doctorIsolation(engine: Engine): Promise<DoctorCheck[]> {
  try {
    return await tried(engine);
  } catch (error) {
    const hint = error instanceof TsboxError ? error.hint : undefined;
    return [
      {
        id: 'isolation',
        title: 'A container that tries',
        status: 'fail',
        code: 'isolation',
        detail: messageOf(error),
        ...(hint !== undefined && { hint }),
      },
    ];
  }
}

async function tried(engine: Engine): Promise<DoctorCheck[]> {
  const canary = join(engine.paths.tmp, `canary-${process.pid}`);
  const { server, port } = await listen();
  writeFileSync(canary, 'of the machine', { mode: 0o644 });
  try {
    const command = [PROBE, 'probe', canary, String(process.pid), String(port)];
    const done = await runProbe(engine, command);
    return checks(done.stdout.toString());
  } finally {
    server.close();
    rmSync(canary, { force: true });
  }
}

/** On the view of the machine's own root: there is nothing to download. Without a network of its own kind, without one. */
async function runProbe(engine: Engine, command: string[]) {
  const options: CreateOptions = {
    image: 'host',
    command,
    mounts: [`type=bind,source=${helperPath()},target=${PROBE},readonly`],
    autoRemove: true,
  };
  const done = await capture(engine, options).catch(() => capture(engine, { ...options, network: 'none' }));
  if (done.exitCode === 0) return done;
  throw new TsboxError('LAUNCH', `the probe ended with status ${done.exitCode}: ${done.stderr}`.trim());
}

/** It writes at once: a network program may say yes to a connection before it has asked the machine. */
async function listen(): Promise<{ server: Server; port: number }> {
  const server = builtin('node:net').createServer(socket => {
    socket.on('error', () => {});
    socket.end('here');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new TsboxError('INTERNAL', 'no port to listen on');
  return { server, port: address.port };
}

function checks(output: string): DoctorCheck[] {
  const answers = new Map(
    output.split('\n').map(line => {
      const [id = '', outcome = '', ...detail] = line.split(' ');
      return [id, { outcome, detail: detail.join(' ') }] as const;
    }),
  );
  return Object.entries(TRIED).map(([id, title]) => {
    const answer = answers.get(id) ?? { outcome: '', detail: 'the probe did not get so far' };
    const bad = OPTIONAL.has(id) ? 'warn' : 'fail';
    return { id, title, status: answer.outcome === 'held' ? 'ok' : bad, code: id, detail: answer.detail };
  });
}
