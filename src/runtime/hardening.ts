/**
 * What of /proc and /sys a container does not see or cannot change: docker's lists. In a user namespace most of these
 * files are protected by their owner (the host's root is nobody inside); hiding them also keeps facts about the machine,
 * such as keys in use or timers, from a container, and holds when the invoking user is root.
 */

/** Hidden: an empty read-only directory or /dev/null over them. Absent ones are skipped by the `mask` operation. */
export const MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

/** Visible and read-only. */
export const READONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/**
 * /sys in a network namespace of our own is a fresh read-only sysfs. With `--network host` the kernel refuses a fresh
 * one (the network namespace belongs to another user namespace), so the machine's /sys is bound recursively and
 * read-only, and these mounts below it, which a recursive bind would bring along, are hidden: a writable cgroup tree
 * is CVE-2023-25809, the others are debugging interfaces of the host's kernel.
 */
export const HOST_SYS_MASKED_PATHS: readonly string[] = [
  '/sys/fs/bpf',
  '/sys/fs/cgroup',
  '/sys/fs/fuse/connections',
  '/sys/fs/pstore',
  '/sys/fs/selinux',
  '/sys/kernel/config',
  '/sys/kernel/debug',
  '/sys/kernel/security',
  '/sys/kernel/tracing',
];

/** A limit of the `rlimit` operation by docker's --ulimit name; values as in getrlimit(2), -1 is infinity. */
export interface DefaultRlimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/**
 * Limits a container starts with where --ulimit says nothing. `nofile`: Node raises its own soft limit to
 * the hard one and children inherit that, but programs that use select(2) or close every descriptor they might have
 * expect the customary 1024. The hard limit stays the caller's up to systemd's default; the operation only lowers it.
 *
 * `core`: where the machine's core_pattern is a pipe, a dump would be handed to a program of the machine that runs as its root. 0 does not prevent that; 1
 * does (core(5), "Piping core dumps": the kernel's mark of a dump that must not happen), and is too small for a file, too.
 */
export const DEFAULT_RLIMITS: readonly DefaultRlimit[] = [
  { name: 'nofile', soft: 1024, hard: 524288 },
  { name: 'core', soft: 1, hard: 1 },
];
