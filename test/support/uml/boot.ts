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

/** Its descriptors become non-blocking: it gets a pipe of its own as the console. One processor: it is several times faster then. */
function boot(dir: string, disk: string, program: string): ChildProcess {
  const words = [
    'mem=1024M',
    'rootfstype=hostfs',
    'root=/dev/root',
    'ro',
    `init=${fileURLToPath(new URL('init.sh', import.meta.url))}`,
    `ubd0=${disk}`,
    'con=null',
    'con0=null,fd:5',
    'quiet',
    'umid=vm',
    `uml_dir=${dir}/`,
    'noreboot',
    `tsbox.uid=${process.getuid?.() ?? 0}`,
    `tsbox.run=${program}`,
  ];
  return spawn('taskset', ['-c', '0', 'linux.uml', ...words], {
    stdio: ['ignore', 'ignore', 'ignore', 'ignore', 'ignore', 'pipe'],
    detached: true,
  });
}

function output(child: ChildProcess, limitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      reject(new Error(`User-mode Linux did not end within ${limitMs} ms; its console:\n${text}`));
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
