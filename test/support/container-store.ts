import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../src/engine/context.ts';
import { defaultConfig } from '../../src/host/config.ts';
import { type Paths, pathsOf } from '../../src/host/paths.ts';
import { bootId, processStart } from '../../src/host/probe.ts';
import { silentReporter } from '../../src/log.ts';
import { newId } from '../../src/store/atomic.ts';
import type { ContainerRecord, MountRecord, StateFile } from '../../src/store/container-record.ts';
import { reserveContainer } from '../../src/store/containers.ts';
import { tempHome } from './temp-home.ts';

/** An empty store in the test's home, without any process behind it. */
export function tempStore(): Paths {
  const root = mkdtempSync(join(tempHome('stores').dir, 's-'));
  const paths = pathsOf(join(root, 'store'), join(root, 'runtime'));
  for (const dir of [paths.containers, paths.volumes, paths.tmp, paths.runtime]) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }
  return paths;
}

export function engineOf(paths: Paths, signal?: AbortSignal): Engine {
  return { paths, config: defaultConfig(), reporter: silentReporter, signal };
}

/** What the tests of one topic do not care about, filled in. */
export function recordOf(changes: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    version: 1,
    id: newId(),
    name: '',
    created: '2026-01-02T03:04:05.678Z',
    image: { reference: 'alpine', id: `sha256:${'a'.repeat(64)}`, layers: [`sha256:${'1'.repeat(64)}`] },
    storage: { driver: 'overlay' },
    userns: { mode: 'ranges' },
    network: { driver: 'none', options: {}, ports: [] },
    process: {
      args: ['sh', '-c', 'echo hi'],
      env: ['PATH=/bin'],
      cwd: '/',
      user: '',
      tty: false,
      openStdin: false,
      stopSignal: 'SIGTERM',
      stopTimeout: 10,
      init: false,
    },
    entrypoint: [],
    cmd: ['sh', '-c', 'echo hi'],
    mounts: [],
    hostname: 'box',
    domainname: '',
    labels: {},
    autoRemove: false,
    readOnly: false,
    privileged: false,
    capAdd: [],
    capDrop: [],
    noNewPrivileges: false,
    seccomp: 'default',
    rootEmulation: false,
    shmSize: 67108864,
    addHost: [],
    dns: [],
    ulimits: [],
    oomScoreAdj: undefined,
    sysctls: {},
    platform: 'linux/amd64',
    exposed: [],
    ...changes,
  };
}

/** Reserves it and, where given, writes the state that a supervisor would have written. */
export async function addContainer(
  paths: Paths,
  changes: Partial<ContainerRecord> = {},
  state?: Partial<StateFile>,
): Promise<ContainerRecord> {
  const record = await reserveContainer(paths, recordOf(changes));
  if (state) writeState(paths, record.id, state);
  return record;
}

/** `running` by default, with this very process as supervisor and pid 1. */
export function writeState(paths: Paths, id: string, changes: Partial<StateFile>): void {
  const file: StateFile = {
    version: 1,
    status: 'running',
    pid: process.pid,
    start: ownStart(),
    supervisor: process.pid,
    supervisor_start: ownStart(),
    boot: bootId(),
    started_at: '2026-01-02T03:04:06.123456789Z',
    finished_at: '',
    exit_code: 0,
    signal: 0,
    oom: false,
    ...changes,
  };
  writeFileSync(join(paths.containers, id, 'state.json'), JSON.stringify(file));
}

export const ownStart = (): number => processStart(process.pid) ?? 0;

/** Our pid as a process that has ended: as if the kernel had given its number to us. */
export const GONE = { pid: process.pid, start: 1 } as const;

export const volumeMount = (source: string, changes: Partial<MountRecord> = {}): MountRecord => ({
  type: 'volume',
  source,
  target: '/data',
  readOnly: false,
  options: [],
  anonymous: false,
  ...changes,
});

/** For assert.throws and friends of promises: rejects with that code, and a message and hint that match. */
export async function rejects(
  work: Promise<unknown>,
  code: string,
  message: RegExp = /./,
  hint: RegExp = /./,
): Promise<void> {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e as { code?: string; message: string; hint?: string },
  );
  if (!error) throw new Error(`expected ${code}, nothing was thrown`);
  if (error.code === code && message.test(error.message) && hint.test(error.hint ?? '')) return;
  throw new Error(`expected ${code} ${message} ${hint}, got ${error.code}: ${error.message} (${error.hint})`);
}
