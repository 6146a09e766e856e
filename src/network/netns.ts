import { type Op, ops, optional } from '../plan/ops.ts';

/**
 * What every network namespace of our own gets. The sysctls belong to the namespace, so nothing of the host changes:
 * ping without privilege, and ports below 1024 for programs that are not root inside, as docker has it.
 */
export function namespaceOps(): Op[] {
  return [
    ops.loopback('127.0.0.1 and ::1 work'),
    sysctl('net.ipv4.ip_unprivileged_port_start', '0', 'any port may be bound, as in docker'),
    // The kernel refuses a range with a group that is not mapped: the wide one fails where there is a single id.
    sysctl('net.ipv4.ping_group_range', '0 0', 'ping without CAP_NET_RAW, for root'),
    sysctl('net.ipv4.ping_group_range', '0 65535', 'and for every group, where there are that many'),
  ];
}

/** Optional: a kernel without it, or a read-only /proc/sys, must not keep a container from starting. */
export const sysctl = (key: string, value: string, why: string): Op =>
  optional(ops.procwrite(`/proc/sys/${key.replaceAll('.', '/')}`, value, why));
