import { TsboxError } from '../errors.ts';
import type { Found } from './find.ts';

interface PortRange {
  readonly first: number;
  readonly last: number;
  readonly protocol: string;
}

/** Docker's `publish` filter: a container port or range that is reachable from the host. */
export function publishes(value: string): (found: Found) => boolean {
  const range = parsePortRange('publish', value);
  return ({ record }) =>
    record.network.ports.some(
      p => within(range, p.hostPort, p.protocol) || within(range, p.containerPort, p.protocol),
    );
}

/** Docker's `expose` filter: published, or only declared. */
export function exposes(value: string): (found: Found) => boolean {
  const range = parsePortRange('expose', value);
  const declared = (port: string): boolean => {
    const [number, protocol = 'tcp'] = port.split('/');
    return within(range, Number(number), protocol);
  };
  const published = publishes(value);
  return found => found.record.exposed.some(declared) || published(found);
}

const within = (range: PortRange, port: number, protocol: string): boolean =>
  range.first <= port && port <= range.last && range.protocol === protocol;

/** `80`, `80/udp`, `8000-8080/tcp`. */
function parsePortRange(key: string, value: string): PortRange {
  const [, from, to = from, protocol = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(value) ?? [];
  const range = { first: Number(from), last: Number(to), protocol };
  if (range.first >= 1 && range.first <= range.last && range.last <= 65535) return range;
  throw new TsboxError('USAGE', `invalid filter '${key}=${value}'`, {
    hint: 'it takes PORT or FIRST-LAST, with /tcp or /udp',
  });
}
