import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { helperPath } from '../../src/host/binaries.ts';
import { singleMaps } from '../../src/host/idmap.ts';
import type { NetworkDriver, PortMapping } from '../../src/network/driver.ts';
import { CLONE, MS } from '../../src/plan/flags.ts';
import { ops } from '../../src/plan/ops.ts';
import { launch } from '../../src/runtime/launch.ts';
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
}

export interface NetContainerOptions {
  readonly ports?: readonly PortMapping[];
  readonly options?: Readonly<Record<string, string>>;
  /** Default: a temporary directory of its own. */
  readonly runtimeDir?: string;
}

export async function netContainer(
  driver: NetworkDriver,
  script: string,
  { ports = [], options = {}, runtimeDir }: NetContainerOptions = {},
): Promise<NetContainer> {
  const dir = runtimeDir ?? mkdtempSync(join(tmpdir(), 'tsbox-net-'));
  mkdirSync(join(dir, 'root'), { recursive: true });
  const request = { containerId: 'net'.padEnd(64, '0'), runtimeDir: dir, ports, options };
  const network = driver.setup(request);
  const netns = network.netns === 'new' ? CLONE.NEWNET : 0;
  const { uid, gid } = userInfo();
  const flags = CLONE.NEWUSER | CLONE.NEWNS | CLONE.NEWPID | netns;
  const started = launch(
    helperPath(),
    {
      role: 'supervise',
      header: {
        id: request.containerId,
        cwd: dir,
        clone: flags,
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
      resume: async () => {
        await driver.publish?.(request);
        return [
          ops.env(['PATH=/usr/bin:/bin'], 'clean'),
          ops.exec('/bin/busybox', ['sh', '-c', script], 'the script'),
        ];
      },
    },
    'pipe',
  );
  const cleanUp = (): void => {
    if (runtimeDir === undefined) rmSync(dir, { recursive: true, force: true });
  };
  const launched = await started.catch(error => {
    cleanUp();
    throw error;
  });
  const [stdout, stderr] = [
    collect(launched.child.stdout as Readable),
    collect(launched.child.stderr as Readable),
  ];
  launched.child.stdin?.end();
  const ended = launched.ended.then(({ exitCode }) => {
    cleanUp();
    return exitCode;
  });
  return { stdout, stderr, ended, kill: () => launched.signal(9) };
}
