import { EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT } from '../util/errno.ts';
import type { FailureText } from './failure-hints.ts';

/** A port that cannot be listened on: which, why, and what would work. Fields: protocol, ip, first, last, inside, flags. */
export function listenFailure(errno: number, fields: readonly string[]): FailureText {
  const [protocol = '', ip = '', first = '', last = '', inside = ''] = fields;
  const ports = first === last ? first : `${first}-${last}`;
  const message = `port ${ip.includes(':') ? `[${ip}]` : ip}:${ports}/${protocol} cannot be published`;
  return { code: 'PORT', message, ...WHY[errno]?.({ protocol, first, last, inside }) };
}

interface Where {
  readonly protocol: string;
  readonly first: string;
  readonly last: string;
  readonly inside: string;
}

const WHY: Readonly<Record<number, (where: Where) => FailureText>> = {
  [EADDRINUSE]: ({ protocol, first, last, inside }) => ({
    reason: first === last ? 'address already in use' : 'every port of the range is in use',
    hint: `see who has it: ss -ln${protocol === 'tcp' ? 't' : 'u'}p sport = :${first}; or let the kernel choose: -p ${inside}`,
  }),
  [EACCES]: ({ first, inside }) => ({
    reason: "permission denied, low ports are root's here",
    hint: `choose a higher port (-p ${Number(first) + 8000}:${inside}), or as root: sysctl net.ipv4.ip_unprivileged_port_start=${first}`,
    check: 'ports-low',
  }),
  [EADDRNOTAVAIL]: () => ({
    reason: 'this machine does not have that address',
    hint: 'see which it has: ip address',
  }),
  [EAFNOSUPPORT]: () => ({ reason: 'this machine has no IPv6', hint: 'publish on an IPv4 address' }),
};
