import type { PortMapping } from '../network/driver.ts';

/** Does what is asked for (an absent address or host port means any) fit what is published? Pure. */
export function matches(asked: PortMapping, served: PortMapping): boolean {
  return (
    asked.protocol === served.protocol &&
    asked.containerPort === served.containerPort &&
    (asked.hostIp === '' || asked.hostIp === served.hostIp) &&
    (asked.hostPort === 0 ||
      (asked.hostPort <= served.hostPort && served.hostPort <= (asked.hostPortEnd ?? asked.hostPort)))
  );
}

/** The record's ports once `removed` are gone and `left` are still published: what nothing is left of goes, too. Pure. */
export function afterRemoval(
  recorded: readonly PortMapping[],
  removed: readonly PortMapping[],
  left: readonly PortMapping[],
): PortMapping[] {
  return recorded.flatMap(port => {
    if (!removed.some(r => matches(port, r))) return [port];
    return left.filter(l => matches(port, l)).map(({ hostIp }) => ({ ...port, hostIp }));
  });
}
