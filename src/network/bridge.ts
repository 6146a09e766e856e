import type { NetworkDriver, NetworkRequest, NetworkSetup } from './driver.ts';
import { nameserversOf } from './etc-live.ts';
import { forwardServices, servedByForwarder } from './forward.ts';
import { namespaceOps } from './netns.ts';

/**
 * User-defined networks. Another process, the holder, has a network namespace with a bridge for each, and gives the container an
 * interface in each of its networks once it is there; the container's user namespace is nested in the holder's.
 */
export const bridge: NetworkDriver = {
  name: 'bridge',
  probe: async () => ({ ok: true }),
  setup(request: NetworkRequest): NetworkSetup {
    const endpoints = request.endpoints ?? [];
    const addresses = endpoints.flatMap(endpoint => endpoint.addresses.map(text => text.replace(/\/.*/, '')));
    return {
      netns: 'new',
      ops: namespaceOps(),
      services: forwardServices(request),
      nameservers: nameserversOf(endpoints),
      resolver: true,
      ...(addresses[0] !== undefined && { address: addresses[0] }),
      addresses,
    };
  },
  publish: servedByForwarder,
};
