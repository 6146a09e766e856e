import type { Paths } from '../host/paths.ts';
import { sweepAddresses } from '../store/network-addresses.ts';
import { networkDirectory, networkNames, sweepNetworkDrafts } from '../store/networks.ts';

/** Addresses of containers that are gone, and what was left of networks that were made or removed by who was killed. */
export async function sweepNetworks(paths: Paths): Promise<void> {
  await sweepNetworkDrafts(paths);
  for (const name of networkNames(paths)) await sweepAddresses(paths, networkDirectory(paths, name));
}
