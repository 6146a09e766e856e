import { readFileSync } from 'node:fs';
import { TsboxError } from '../errors.ts';
import { readMaybe, userName } from '../host/process-text.ts';
import { type ProcessInfo, processesOf } from '../host/processes.ts';
import { runProgram } from '../host/spawn.ts';
import type { Engine } from './context.ts';
import { find } from './find.ts';
import type { ProcessTable } from './types.ts';

/** Of the clock that /proc counts in: 100 on every Linux that Node runs on (sysconf(_SC_CLK_TCK)). */
const TICKS = 100;

/**
 * Docker's top: the processes of a container as the host numbers them. Without options the columns of `ps -ef`, read from
 * /proc; with options the host's ps(1) is asked and its lines are chosen by pid, as docker does. BAD_STATE when it does not
 * run, USAGE for options that ps refuses or that leave the pid out.
 */
export async function top(
  engine: Engine,
  nameOrId: string,
  options: readonly string[] = [],
): Promise<ProcessTable> {
  const { record, state } = await find(engine, nameOrId);
  if (state.status !== 'running') {
    throw new TsboxError('BAD_STATE', `container ${record.name} is not running (${state.status})`, {
      hint: `start it: tsbox start ${record.name}`,
      exitCode: 1,
    });
  }
  const processes = processesOf(state.pid);
  return options.length === 0
    ? ownTable(processes)
    : psTable(options, new Set(processes.map(p => String(p.pid))));
}

function ownTable(processes: readonly ProcessInfo[]): ProcessTable {
  const boot = Date.now() - uptime() * 1000;
  return {
    titles: ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'],
    processes: processes.flatMap(process => {
      const user = userName(process.pid);
      if (user === undefined) return [];
      const { pid, parent, ticks, start, tty } = process;
      const age = Math.max(1, uptime() - start / TICKS);
      const percent = Math.floor((ticks / TICKS / age) * 100);
      const started = startTime(boot + (start / TICKS) * 1000);
      const row = [user, pid, parent, percent, started, terminal(tty), clock(ticks / TICKS), commandOf(pid)];
      return [row.map(String)];
    }),
  };
}

const uptime = (): number => Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);

/** The time of day, or the date of one that started earlier than a day ago. */
function startTime(epoch: number): string {
  const text = new Date(epoch - new Date(epoch).getTimezoneOffset() * 60_000);
  if (Date.now() - epoch < 24 * 3_600_000) return text.toISOString().slice(11, 16);
  return text.toUTCString().slice(8, 11) + text.toISOString().slice(8, 10);
}

/** Unix98 terminals have the majors 136 to 143. */
function terminal(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  return major >= 136 && major <= 143 ? `pts/${(major - 136) * 256 + minor}` : '?';
}

function clock(seconds: number): string {
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function commandOf(pid: number): string {
  const line = (readMaybe(`/proc/${pid}/cmdline`) ?? '').replace(/\0+$/, '').replaceAll('\0', ' ');
  return line || `[${(readMaybe(`/proc/${pid}/comm`) ?? '').trim()}]`;
}

async function psTable(options: readonly string[], pids: ReadonlySet<string>): Promise<ProcessTable> {
  const { status, stdout, stderr } = await runProgram('ps', options);
  if (status !== 0) {
    throw new TsboxError('USAGE', `ps ${options.join(' ')}: ${stderr.trim() || `status ${status}`}`, {
      hint: 'options are those of the ps of this machine: tsbox top NAME -o pid,args',
      exitCode: 1,
    });
  }
  const [head = '', ...lines] = stdout.split('\n').filter(Boolean);
  const titles = head.trim().split(/\s+/);
  const at = titles.indexOf('PID');
  if (at < 0)
    throw new TsboxError('USAGE', "the options of ps leave out the column 'PID'", {
      hint: 'add it: -o pid,…',
      exitCode: 1,
    });
  const rows = lines.map(line => splitRow(line, titles.length));
  return { titles, processes: rows.filter(row => pids.has(row[at] ?? '')) };
}

/** Only the last column may hold blanks. */
function splitRow(line: string, columns: number): string[] {
  const words = line.trim().split(/\s+/);
  return [...words.slice(0, columns - 1), words.slice(columns - 1).join(' ')];
}
