import type { NetworkSummary } from '../../index.ts';
import type { ListShape, Row } from './list.ts';

/** docker's fields of `network ls --format`. */
export const NETWORK_SHAPE: ListShape = {
  headings: {
    ID: 'NETWORK ID',
    Name: 'NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    IPv4: 'IPV4',
    IPv6: 'IPV6',
    Internal: 'INTERNAL',
    Labels: 'LABELS',
    CreatedAt: 'CREATED AT',
  },
  columns: ['ID', 'Name', 'Driver', 'Scope'],
};

export function networkRow(network: NetworkSummary, whole: boolean): Row {
  const labels = Object.entries(network.labels).map(([key, value]) => `${key}=${value}`);
  return {
    ID: whole ? network.id : network.id.slice(0, 12),
    Name: network.name,
    Driver: network.driver,
    Scope: 'local',
    IPv4: 'true',
    IPv6: String(network.ipv6),
    Internal: String(network.internal),
    Labels: labels.join(','),
    CreatedAt: network.created,
    Label: key => network.labels[String(key)] ?? '',
  };
}
