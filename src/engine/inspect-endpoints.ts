import type { EndpointRecord, EndpointState } from '../store/network-record.ts';
import { endpointId } from './network-list.ts';

/** docker's `NetworkSettings.Networks` of a container in user-defined networks; addresses only while it runs. */
export function endpointSettings(
  container: string,
  wanted: readonly EndpointRecord[],
  states: readonly EndpointState[],
): Record<string, unknown> {
  return Object.fromEntries(
    wanted.map(endpoint => {
      const state = states.find(each => each.network === endpoint.network);
      return [endpoint.network, settingsOf(container, endpoint, state)];
    }),
  );
}

function settingsOf(
  container: string,
  endpoint: EndpointRecord,
  state: EndpointState | undefined,
): Record<string, unknown> {
  const [address = '', prefix = '0'] = split(state?.addresses, false);
  const [address6 = '', prefix6 = '0'] = split(state?.addresses, true);
  const names = state?.aliases ?? endpoint.aliases ?? [];
  return {
    IPAMConfig:
      endpoint.ip === undefined && endpoint.ip6 === undefined && !endpoint.linkLocal
        ? null
        : {
            ...(endpoint.ip !== undefined && { IPv4Address: endpoint.ip }),
            ...(endpoint.ip6 !== undefined && { IPv6Address: endpoint.ip6 }),
            ...(endpoint.linkLocal && { LinkLocalIPs: endpoint.linkLocal }),
          },
    Links: null,
    Aliases: endpoint.aliases ?? null,
    DriverOpts: null,
    NetworkID: state?.id ?? '',
    EndpointID: state ? endpointId(container, state.id) : '',
    Gateway: state?.gateways.find(gateway => !gateway.includes(':')) ?? '',
    IPAddress: address,
    IPPrefixLen: Number(prefix),
    IPv6Gateway: state?.gateways.find(gateway => gateway.includes(':')) ?? '',
    GlobalIPv6Address: address6,
    GlobalIPv6PrefixLen: Number(prefix6),
    MacAddress: state?.mac ?? '',
    DNSNames: names,
  };
}

const split = (addresses: readonly string[] | undefined, six: boolean): string[] =>
  (addresses ?? []).find(address => address.includes(':') === six)?.split('/') ?? [];
