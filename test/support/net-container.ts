import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { helperPath } from '../../src/host/binaries.ts';
import { singleMaps } from '../../src/host/idmap.ts';
import type { NetworkDriver, NetworkRequest, PortMapping } from '../../src/network/driver.ts';
import { CLONE, MS } from '../../src/plan/flags.ts';
import { ops } from '../../src/plan/ops.ts';
import { type LaunchPlan, launch } from '../../src/runtime/launch.ts';
import { collect } from './cli.ts';

/**
 * A container that is nothing but namespaces: the machine's own files and one of the network drivers. Runs a busybox shell
 * script in it; needs the helper, no image.
 */
export interface NetContainer {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the script's status. */
  readonly ended: Promise<number>;
  kill(): void;
  /** What is published, with real addresses and ports. */
  readonly served: readonly PortMapping[];
}

export interface NetContainerOptions {
  readonly ports?: readonly PortMapping[];
  readonly options?: Readonly<Record<string, string>>;
  /** Default: a temporary directory of its own. */
  readonly runtimeDir?: string;
}

const running = new Set<() => void>();

/** For `test.after.each`: a test that fails leaves no container behind. */
export function killNetContainers(): void {
  for (const kill of running) kill();
}

export async function netContainer(
  driver: NetworkDriver,
  script: string,
  { ports = [], options = {}, runtimeDir }: NetContainerOptions = {},
): Promise<NetContainer> {
  const dir = runtimeDir ?? mkdtempSync(join(tmpdir(), 'tsbox-net-'));
  mkdirSync(join(dir, 'root'), { recursive: true });
  const cleanUp = (): void => {
    if (runtimeDir === undefined) rmSync(dir, { recursive: true, force: true });
  };
  const served: PortMapping[] = [];
  const request = { containerId: 'net'.padEnd(64, '0'), runtimeDir: dir, ports, options };
  try {
    const { child, ended, signal } = await launch(
      helperPath(),
      launchPlan(driver, request, script, served),
      'pipe',
    );
    const [stdout, stderr] = [collect(child?.stdout as Readable), collect(child?.stderr as Readable)];
    child?.stdin?.end();
    const kill = (): void => signal(9);
    running.add(kill);
    const status = ended
      .then(({ exitCode }) => exitCode)
      .finally(() => {
        running.delete(kill);
        cleanUp();
      });
    return { stdout, stderr, ended: status, kill, served };
  } catch (error) {
    cleanUp();
    throw error;
  }
}

function launchPlan(
  driver: NetworkDriver,
  request: NetworkRequest,
  script: string,
  served: PortMapping[],
): LaunchPlan {
  const dir = request.runtimeDir;
  const network = driver.setup(request);
  const { uid, gid } = userInfo();
  return {
    role: 'supervise',
    header: {
      id: request.containerId,
      cwd: dir,
      clone: CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWPID | (network.netns === 'new' ? CLONE.NEWNET : 0),
      maps: singleMaps(uid, gid),
      front: 'oe',
      lock: join(dir, 'lock'),
      state: join(dir, 'state.json'),
    },
    init: [
      ops.private('mounts stay here'),
      ops.hostbind('/', join(dir, 'root'), MS.REC, "the machine's files"),
      ops.root(join(dir, 'root'), 'seen from another mount'),
      ops.mount({ type: 'proc', target: '/proc' }, 'for sysctls'),
      ...network.ops,
      ops.pivot('enter'),
      ops.barrier([], 'ports are published here'),
    ],
    services: network.services,
    resume: async (_files, ready) => {
      served.push(...((await driver.publish?.(request, ready)) ?? []));
      const shell = ops.exec('/bin/busybox', ['sh', '-c', script], 'the script');
      return [ops.env(['PATH=/usr/bin:/bin'], 'clean'), shell];
    },
  };
}
