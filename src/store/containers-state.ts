import { readFileSync, statSync } from 'node:fs';
import { hasErrno, messageOf } from '../errors.ts';
import type { Paths } from '../host/paths.ts';
import { bootId, isAlive } from '../host/probe.ts';
import { ioError } from './atomic.ts';
import type { ContainerRecord, ContainerState, StateFile } from './container-record.ts';
import { isPaused } from './containers-paused.ts';
import { containerDirectory } from './containers-read.ts';
import { restartWaiter } from './containers-restart.ts';

/** 128 + SIGKILL: pid 1 dies by its parent-death signal when the supervisor is killed. */
const KILLED = 137;
/** What docker shows for a container that was running when the machine went down. */
const UNKNOWN = 255;

const CREATED: ContainerState = {
  status: 'created',
  paused: false,
  restarting: false,
  pid: 0,
  start: 0,
  supervisor: 0,
  supervisorStart: 0,
  startedAt: undefined,
  finishedAt: undefined,
  exitCode: 0,
  oom: false,
  error: undefined,
};

/** How a container is doing now, by its record or full id. Throws only IO. */
export async function containerState(
  paths: Paths,
  container: ContainerRecord | string,
): Promise<ContainerState> {
  return readContainerState(paths, typeof container === 'string' ? container : container.id);
}

/**
 * As containerState, without a promise. Three system calls for one that has ended, two more per process for one that runs.
 */
export function readContainerState(paths: Paths, id: string): ContainerState {
  const first = readStateFile(paths, id);
  if (first === undefined) return CREATED;
  if (typeof first === 'string') return { ...CREATED, status: 'dead', error: first };
  if (first.status === 'exited') return exited(paths, id, first);
  if (first.boot !== bootId()) return lost(first, UNKNOWN, 'the machine was restarted while it was running');
  if (isAlive(first.supervisor, first.supervisor_start)) return running(paths, id, first);
  return withoutSupervisor(paths, id);
}

/** The supervisor may have recorded the end and gone between our two looks: its last word counts. */
function withoutSupervisor(paths: Paths, id: string): ContainerState {
  const file = readStateFile(paths, id);
  if (file === undefined || typeof file === 'string') return CREATED;
  if (file.status === 'exited') return exited(paths, id, file);
  if (isAlive(file.supervisor, file.supervisor_start)) return running(paths, id, file);
  if (!isAlive(file.pid, file.start))
    return lost(file, KILLED, 'its supervisor was killed, how it ended is unknown');
  return {
    ...running(paths, id, file),
    status: 'dead',
    paused: false,
    error: 'its supervisor was killed and its first process is still there',
  };
}

/** Undefined: never started. A text: why it cannot be used. */
function readStateFile(paths: Paths, id: string): StateFile | string | undefined {
  const path = `${containerDirectory(paths, id)}/state.json`;
  try {
    // Asked first: an error with its stack takes longer than all else.
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    return checkState(JSON.parse(readFileSync(path, 'utf8')) as Partial<StateFile> | null, path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (error instanceof SyntaxError) return `${path} is damaged: ${messageOf(error)}`;
    throw ioError(error, `cannot read ${path}`);
  }
}

function checkState(file: Partial<StateFile> | null, path: string): StateFile | string {
  if (file?.version !== 1) return `${path} was written by another version of tsbox`;
  if (file.status !== 'running' && file.status !== 'exited') return `${path} has an unknown status`;
  return file as StateFile;
}

function running(paths: Paths, id: string, file: StateFile): ContainerState {
  return {
    ...CREATED,
    status: 'running',
    paused: isPaused(paths, id, file),
    pid: file.pid,
    start: file.start,
    supervisor: file.supervisor,
    supervisorStart: file.supervisor_start,
    startedAt: file.started_at || undefined,
  };
}

function exited(paths: Paths, id: string, file: StateFile): ContainerState {
  return {
    ...CREATED,
    status: 'exited',
    restarting: file.boot === bootId() && waits(paths, id),
    // Still there for a moment after its record: it ends the services and runs what is to run at the end.
    supervisor: file.boot === bootId() ? file.supervisor : 0,
    supervisorStart: file.supervisor_start,
    startedAt: file.started_at || undefined,
    finishedAt: file.finished_at || undefined,
    exitCode: file.exit_code,
    oom: file.oom,
  };
}

/** The process that restarts it may be the supervisor itself, which has executed tsbox. */
function waits(paths: Paths, id: string): boolean {
  const [pid = 0, start = 0] = restartWaiter(paths, id).split('-').map(Number);
  return pid > 0 && isAlive(pid, start);
}

function lost(file: StateFile, exitCode: number, error: string): ContainerState {
  return { ...CREATED, status: 'exited', startedAt: file.started_at || undefined, exitCode, error };
}
