import { readFileSync } from 'node:fs';
import { TsboxError } from '../errors.ts';
import type { NamespaceRecord, OfContainer } from '../store/container-record.ts';
import type { CreateOptions } from './types.ts';

const usage = (message: string, hint: string): TsboxError => new TsboxError('USAGE', message, { hint });

/** --pid, --ipc, --uts, --cgroupns: which namespaces are not the container's own. Throws USAGE. */
export function parseNamespaces(options: CreateOptions): NamespaceRecord | undefined {
  const pid = shared(options.pid) ?? chosen('pid', options.pid, ['host']);
  const ipc = shared(options.ipc) ?? chosen('ipc', options.ipc, ['host', 'none', 'shareable']);
  const uts = chosen('uts', options.uts, ['host']);
  const cgroup = chosen('cgroupns', options.cgroupns, ['host']);
  if (uts && (options.hostname ?? options.domainname) !== undefined) {
    throw usage(
      `--uts host and --${options.hostname === undefined ? 'domainname' : 'hostname'} contradict each other`,
      "the machine's own name stays as it is: leave one of them out",
    );
  }
  if (!pid && !ipc && !uts && !cgroup) return undefined;
  return {
    ...(pid && { pid }),
    ...(ipc && { ipc }),
    ...(uts && { uts }),
    ...(cgroup && { cgroup }),
  };
}

const shared = (text: string | undefined): OfContainer | undefined =>
  text?.startsWith('container:') ? (text as OfContainer) : undefined;

function chosen<T extends string>(
  flag: string,
  text: string | undefined,
  words: readonly T[],
): T | undefined {
  if (text === undefined || text === '' || text === 'private') return undefined;
  const word = words.find(w => w === text);
  if (word !== undefined) return word;
  throw usage(
    `--${flag} ${JSON.stringify(text)} is not known`,
    `--${flag} ${['private', ...words].join(', ')}`,
  );
}

/** What a namespace of the container's own makes its own (Linux: Documentation/admin-guide/sysctl, ipc_namespaces(7)). */
const IPC_KEYS =
  /^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\.mqueue\.[a-z_]+)$/;

/** --sysctl: only what belongs to a namespace that the container has for itself. Throws USAGE. */
export function checkSysctls(
  sysctls: Readonly<Record<string, string>>,
  namespaces: NamespaceRecord | undefined,
  netns: 'new' | 'host',
): void {
  for (const [key, value] of Object.entries(sysctls)) {
    if (value === '') throw usage(`--sysctl ${key} has no value`, `--sysctl ${key}=VALUE`);
    const ipc = IPC_KEYS.test(key);
    const net = /^net(\.[A-Za-z0-9_/-]+)+$/.test(key);
    if (!ipc && !net) {
      throw usage(
        `--sysctl ${key}: it belongs to the whole machine, or there is none of that name`,
        'a container can set net.*, kernel.msg*, kernel.sem, kernel.shm*, fs.mqueue.*; kernel.domainname: --domainname',
      );
    }
    const flag = (net && netns === 'host' && '--network') || (ipc && namespaces?.ipc === 'host' && '--ipc');
    if (flag)
      throw usage(
        `--sysctl ${key} would change the machine: with ${flag} host it has no other`,
        `leave ${flag} host out`,
      );
  }
}

const LIMIT = 1000;

/** --oom-score-adj: only root of the machine may go below the value one has. Throws USAGE. */
export function checkOomScore(value: number | undefined): void {
  if (value === undefined) return;
  if (Math.abs(value) > LIMIT)
    throw usage(`--oom-score-adj ${value} is not from -${LIMIT} to ${LIMIT}`, '--oom-score-adj 500');
  const own = ownOomScore();
  if (value < own) {
    throw usage(
      `--oom-score-adj ${value}: only root may go below ${own}, which is your own`,
      `a number from ${own} to ${LIMIT}`,
    );
  }
}

function ownOomScore(): number {
  try {
    return Number(readFileSync('/proc/self/oom_score_adj', 'utf8'));
  } catch {
    return -LIMIT;
  }
}
