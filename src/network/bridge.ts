import type { NetworkDriver, NetworkRequest, NetworkSetup } from './driver.ts';
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
    const open = endpoints.filter(endpoint => !endpoint.network.internal);
    const gateways = [...open, ...endpoints][0]?.gateways ?? [];
    const addresses = endpoints.flatMap(endpoint => endpoint.addresses.map(text => text.replace(/\/.*/, '')));
    return {
      netns: 'new',
      ops: namespaceOps(),
      services: forwardServices(request),
      // Each name server knows of all networks of who asks; that of a network without a way out asks nobody else.
      nameservers: gateways,
      resolver: true,
      ...(addresses[0] !== undefined && { address: addresses[0] }),
      addresses,
    };
  },
  publish: servedByForwarder,
};
