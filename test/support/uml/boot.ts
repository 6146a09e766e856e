import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { CACHE_DIR } from '../requires.ts';

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
export async function bootUml(program: string, limitMs: number): Promise<Booted> {
  const dir = mkdtempSync(join(tmpdir(), 'uml-'));
  const disk = join(dir, 'disk');
  writeFileSync(disk, '');
  truncateSync(disk, DISK);
  const made = spawnSync('/sbin/mkfs.ext4', ['-q', '-F', '-O', '^has_journal', disk], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`mkfs.ext4: ${made.stderr}`);
  try {
    return parse(await output(boot(dir, disk, program), limitMs));
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

function boot(dir: string, disk: string, program: string): ChildProcess {
  const init = fileURLToPath(new URL('init.sh', import.meta.url));
  const own = ['rootfstype=hostfs', 'root=/dev/root', 'ro', `init=${init}`, `ubd0=${disk}`];
  return start([...words(dir), ...own, `tsbox.uid=${process.getuid?.() ?? 0}`, `tsbox.run=${program}`]);
}

/** Its descriptors become non-blocking: it gets a pipe of its own as the console. One processor: it is several times faster then. */
const start = (all: readonly string[]): ChildProcess =>
  spawn('taskset', ['-c', '0', 'linux.uml', ...all], {
    stdio: ['ignore', 'ignore', 'ignore', 'ignore', 'ignore', 'pipe'],
    detached: true,
  });

const IMAGE = join(CACHE_DIR, 'systemd-root.img');

/** The same with systemd as pid 1, in a root file system of its own (systemd-root.sh, made once per machine), which stays as it is. */
export async function bootSystemd(tsbox: string, limitMs: number): Promise<Booted> {
  const script = fileURLToPath(new URL('systemd-root.sh', import.meta.url));
  mkdirSync(CACHE_DIR, { recursive: true, mode: 0o755 });
  const made = existsSync(IMAGE) ? undefined : spawnSync(script, [IMAGE], { encoding: 'utf8' });
  if (made && made.status !== 0) throw new Error(`${script}: ${made.stdout}${made.stderr}`);
  const dir = mkdtempSync(join(tmpdir(), 'uml-'));
  const project = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
  const own = [`ubd0=${join(dir, 'cow')},${IMAGE}`, 'root=/dev/ubda', 'rw', 'pty.legacy_count=0'];
  const suite = ['systemd.log_target=journal', 'systemd.show_status=0', `suite.project=/host${project}`];
  try {
    return parse(
      await output(start([...words(dir), ...own, ...suite, `suite.tsbox=/host${tsbox}`]), limitMs),
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

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

function parse(text: string): Booted {
  const all = text.split(/\r?\n/);
  const isLine = (line: string): boolean => line.startsWith('{"name":');
  return {
    lines: all.filter(isLine).map(line => JSON.parse(line) as Line),
    console: all.filter(line => !isLine(line)).join('\n'),
  };
}
