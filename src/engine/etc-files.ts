import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { giveToStore } from '../host/owner.ts';
import type { NetworkSetup } from '../network/driver.ts';
import { hostnameFile, hostsFile, resolvConf } from '../network/etc-files.ts';
import { readHostResolv } from '../network/resolv.ts';
import { writeFileAtomic } from '../store/atomic.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerFiles } from './container-paths.ts';
import type { Engine } from './context.ts';

/** hosts, hostname and resolv.conf of a container, made anew at each start; the plan binds them over the image's. */
export async function writeEtcFiles(
  engine: Engine,
  record: ContainerRecord,
  setup: NetworkSetup,
): Promise<void> {
  const dir = join(engine.paths.root, containerFiles(record.id).dir);
  const files = {
    hosts: hostsFile({
      hostname: record.hostname,
      domainname: record.domainname,
      setup,
      addHost: record.addHost,
      ...(setup.netns === 'host' && { hostHosts: await readFile('/etc/hosts', 'utf8').catch(() => '') }),
    }),
    hostname: hostnameFile(record.hostname),
    'resolv.conf': resolvConf({ setup, host: await readHostResolv(), dns: record.dns }),
  };
  for (const [name, content] of Object.entries(files)) {
    // World-readable: any user inside must be able to read them; the store above keeps others out.
    await writeFileAtomic(join(dir, name), content, { mode: 0o644, fsync: false });
    giveToStore(engine.paths.root, join(dir, name));
  }
}
