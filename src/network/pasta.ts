import { TsboxError } from '../errors.ts';
import { helperPath, locateProgram } from '../host/binaries.ts';
import { ourUid } from '../host/paths.ts';
import { ops, type Service } from '../plan/ops.ts';
import type { NetworkDriver, NetworkProbe, NetworkRequest, NetworkSetup } from './driver.ts';
import { forwardServices, servedByForwarder } from './forward.ts';
import { namespaceOps } from './netns.ts';
import { closedTun } from './slirp4netns-probe.ts';

/**
 * pasta(1), of the package passt: as slirp4netns, but with the addresses and routes of the machine, and each connection of the container
 * a socket of the machine's. It says that it is ready by its pid file, here a descriptor, and knows no exit descriptor: the helper's
 * `tether` ends it.
 */
export const pasta: NetworkDriver = { name: 'pasta', probe, setup, publish: servedByForwarder };

const READY_FD = 3;

/**
 * What keeps the machine's loopback out of reach: without --no-map-gw the gateway's address would lead there, and by default ports that
 * are open on either side would appear on the other's 127.0.0.1.
 */
export const PASTA_FLAGS = [
  '--foreground',
  '--quiet',
  '--config-net',
  '--no-map-gw',
  ...['-t', '-u', '-T', '-U'].flatMap(flag => [flag, 'none']),
  '--pid',
  `/proc/self/fd/${READY_FD}`,
];

async function probe(): Promise<NetworkProbe> {
  if (!locateProgram('pasta'))
    return {
      ok: false,
      reason: 'pasta is not installed',
      hint: 'install it: apt install passt (dnf, apk, pacman and zypper have it by the same name), or run with --network slirp4netns',
      check: 'pasta-missing',
    };
  return closedTun() ?? { ok: true };
}

function setup(request: NetworkRequest): NetworkSetup {
  return { netns: 'new', ops: namespaceOps(), services: [service(request), ...forwardServices(request)] };
}

function service({ options }: NetworkRequest): Service {
  const mtu = mtuOf(options);
  return {
    name: 'pasta',
    ready: true,
    fuse: false,
    ops: [
      ops.env(['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], 'a clean environment'),
      ops.exec(
        helperPath(),
        [
          'tsbox:',
          'tether',
          pastaPath(),
          ...PASTA_FLAGS,
          ...asRoot(),
          '--ns-ifname',
          'tap0',
          '--mtu',
          String(mtu),
          '{pid}',
        ],
        "the network of the container: pasta at the other end of tap0, with the machine's addresses",
      ),
    ],
  };
}

/** For root it would become nobody, who may not join the container's namespaces. */
const asRoot = (): string[] => (ourUid() === 0 ? ['--runas', '0:0'] : []);
const pastaPath = (): string => locateProgram('pasta') ?? '/usr/bin/pasta';

/** `pasta:mtu=1500`. Throws USAGE. */
export function mtuOf(options: Readonly<Record<string, string>>): number {
  const { mtu = '65520', ...others } = options;
  const [bad] = Object.keys(others);
  if (bad !== undefined)
    throw new TsboxError('USAGE', `--network pasta: unknown option ${JSON.stringify(bad)}`, {
      hint: 'options: mtu',
    });
  if (/^\d{1,5}$/.test(mtu) && Number(mtu) >= 1280 && Number(mtu) <= 65520) return Number(mtu);
  throw new TsboxError(
    'USAGE',
    `--network pasta: mtu must be a number from 1280 to 65520, not ${JSON.stringify(mtu)}`,
  );
}
