import {
  chmodSync,
  linkSync,
  lstatSync,
  readFileSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../errors.ts';
import { giveToStore } from '../host/owner.ts';
import type { NetworkSetup } from '../network/driver.ts';
import { hostnameFile, hostsFile, resolvConf } from '../network/etc-files.ts';
import { readHostResolv } from '../network/resolv.ts';
import { ioError } from '../store/atomic.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerFiles } from './container-paths.ts';
import type { Engine } from './context.ts';

/**
 * hosts, hostname and resolv.conf of a container, made anew at each start; the plan binds them over the image's.
 * Synchronous: on the way to every start, and a turn of the thread pool costs more than such a write.
 */
export function writeEtcFiles(engine: Engine, record: ContainerRecord, setup: NetworkSetup): void {
  const dir = join(engine.paths.root, containerFiles(record.id).dir);
  const files = {
    hosts: hostsFile({
      hostname: record.hostname,
      domainname: record.domainname,
      setup,
      addHost: record.addHost,
      ...(setup.netns === 'host' && { hostHosts: hostHosts() }),
    }),
    hostname: hostnameFile(record.hostname),
    'resolv.conf': resolvConf({
      setup,
      host: readHostResolv(),
      dns: record.dns,
      ...(record.dnsSearch && { dnsSearch: record.dnsSearch }),
      ...(record.dnsOptions && { dnsOptions: record.dnsOptions }),
    }),
  };
  for (const [name, content] of Object.entries({ ...files, ...sharedFiles(engine, record) }))
    writeAnew(engine, join(dir, name), content);
}

/** With the network of another container come the names that it knows. */
function sharedFiles(engine: Engine, record: ContainerRecord): Record<string, string> {
  const other = record.network.container;
  if (other === undefined) return {};
  const dir = join(engine.paths.root, containerFiles(other).dir);
  const names = ['hosts', 'resolv.conf'];
  return Object.fromEntries(names.map(name => [name, readFileSync(join(dir, name), 'utf8')]));
}

/**
 * A new file: the container may have given the old one to an id that we cannot write as. But one that is as it should be stays, and what appears meanwhile
 * is left: another start of the same container may be binding it, and the kernel does not bind a file that has lost its name.
 */
function writeAnew(engine: Engine, path: string, content: string): void {
  const made = `${path}.${process.pid}`;
  try {
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there && isAsWanted(engine, path, there, content)) return;
    unlessThere(made, () => writeFileSync(made, content, { flag: 'wx' }));
    // Whatever the umask: any user inside must be able to read it; the store above keeps others out.
    chmodSync(made, 0o644);
    giveToStore(engine.paths.root, made);
    if (there) renameSync(made, path);
    else appear(made, path);
  } catch (error) {
    throw ioError(error, `cannot write ${path}`);
  }
}

function isAsWanted(engine: Engine, path: string, there: Stats, content: string): boolean {
  const store = lstatSync(engine.paths.root);
  const isOurs = there.isFile() && there.uid === store.uid && there.gid === store.gid;
  return isOurs && (there.mode & 0o7777) === 0o644 && readFileSync(path, 'utf8') === content;
}

function appear(made: string, path: string): void {
  try {
    linkSync(made, path);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
  unlinkSync(made);
}

/** A process with our pid may have been killed before its rename. */
function unlessThere(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
    unlinkSync(path);
    write();
  }
}

function hostHosts(): string {
  try {
    return readFileSync('/etc/hosts', 'utf8');
  } catch {
    return '';
  }
}
