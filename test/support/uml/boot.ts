import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** One line that a program inside has printed as JSON. */
export interface Line {
  readonly name: string;
  readonly ok: boolean;
  readonly note: string;
  readonly ms: number;
}

export interface Booted {
  readonly lines: readonly Line[];
  /** Everything else that came over the console: the kernel's words. */
  readonly console: string;
}

const DISK = 600 * 1024 * 1024;

/**
 * Boots User-mode Linux (no privilege, no KVM) on this machine's own files, with an empty disk for what must be written, and runs a program of Node
 * as this very user in a delegated control group. Resolves when it has powered off; what it printed is all that comes back.
 */
export const bootUml = (program: string, limitMs: number): Promise<Booted> =>
  bootOn('init.sh', [`tsbox.uid=${process.getuid?.() ?? 0}`, `tsbox.run=${program}`], limitMs);

const project = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** systemd's own words: nothing on the console but the suite's lines, no wait for devices. */
const SYSTEMD = [
  'pty.legacy_count=0',
  'systemd.unit=suite.target',
  'systemd.log_target=journal',
  'systemd.show_status=0',
];

/** The same with the machine's systemd as pid 1, the manager of a user who lingers, and a service of root that runs the suite. Needs root, whose files it reads. */
export const bootSystemd = (tsbox: string, limitMs: number): Promise<Booted> =>
  bootOn('systemd-init.sh', [...SYSTEMD, `suite.project=${project}`, `suite.tsbox=${tsbox}`], limitMs);

async function bootOn(init: string, own: readonly string[], limitMs: number): Promise<Booted> {
  const dir = mkdtempSync(join(tmpdir(), 'uml-'));
  const disk = join(dir, 'disk');
  writeFileSync(disk, '');
  truncateSync(disk, DISK);
  const made = spawnSync('/sbin/mkfs.ext4', ['-q', '-F', '-O', '^has_journal', disk], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`mkfs.ext4: ${made.stderr}`);
  const script = fileURLToPath(new URL(init, import.meta.url));
  const root = ['rootfstype=hostfs', 'root=/dev/root', 'ro', `init=${script}`, `ubd0=${disk}`];
  try {
    return parse(await output(start([...words(dir), ...root, ...own]), limitMs));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The kernel's words that every boot has. */
const words = (dir: string): string[] => [
  'mem=1024M',
  'con=null',
  'con0=null,fd:5',
  'quiet',
  'umid=vm',
  `uml_dir=${dir}/`,
  'noreboot',
];

/** Its descriptors become non-blocking: it gets a pipe of its own as the console. One processor: it is several times faster then. */
const start = (all: readonly string[]): ChildProcess =>
  spawn('taskset', ['-c', '0', 'linux.uml', ...all], {
    stdio: ['ignore', 'ignore', 'ignore', 'ignore', 'ignore', 'pipe'],
    detached: true,
  });

function output(child: ChildProcess, limitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => {
      // What was printed until then counts.
      text += `\nnot ended within ${limitMs} ms`;
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    }, limitMs);
    const console = (child.stdio as readonly (Readable | null)[])[5];
    console?.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

export function parse(text: string): Booted {
  const all = text.split(/\r?\n/);
  const isLine = (line: string): boolean => line.startsWith('{"name":');
  return {
    lines: all.filter(isLine).map(line => JSON.parse(line) as Line),
    console: all.filter(line => !isLine(line)).join('\n'),
  };
}
