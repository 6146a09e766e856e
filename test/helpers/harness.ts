import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Duplex } from 'node:stream';

/** Speaks docs/helper-protocol.md without any code of src/, so that a mistake is not made twice in the same way. */

/** Of every container of this process; `ps` shows it. */
export const ID = `h${process.pid}z`;

export const HELPER =
  process.env.TSBOX_TEST_HELPER ?? path.resolve(import.meta.dirname, '../../dist/tsbox-helper');
export type Field = string | number | Buffer;
export type Rec = readonly Field[];

const u32 = (n: number): Buffer => {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(n);
  return b;
};
const bytes = (f: Field): Buffer => (Buffer.isBuffer(f) ? f : Buffer.from(String(f)));

export function frame(records: readonly Rec[]): Buffer {
  const body = records.map(r => {
    const fields = Buffer.concat(r.map(f => Buffer.concat([u32(bytes(f).length), bytes(f), Buffer.of(0)])));
    return Buffer.concat([u32(fields.length), fields]);
  });
  const payload = Buffer.concat(body);
  return Buffer.concat([Buffer.from('TSBX'), u32(payload.length), payload]);
}

/** Events so far, each as the texts of its fields. */
function decode(all: Buffer): string[][] {
  const events: string[][] = [];
  for (let at = 0; at + 8 <= all.length; ) {
    const end = at + 8 + all.readUInt32LE(at + 4);
    if (end > all.length) break;
    const fields: string[] = [];
    for (let p = at + 12; p < end; ) {
      const n = all.readUInt32LE(p);
      fields.push(all.toString('latin1', p + 4, p + 4 + n));
      p += 5 + n;
    }
    events.push(fields);
    at = end;
  }
  return events;
}

export interface RunOptions {
  args?: string[];
  stdio?: ('pipe' | 'ignore' | number)[];
  /** Without: no descriptor 4. */
  signals?: boolean;
  extra?: number;
}

/** A helper with a channel. */
export class Run {
  readonly child: ChildProcess;
  readonly exit: Promise<number>;
  stdout: Buffer = Buffer.alloc(0);
  stderr: Buffer = Buffer.alloc(0);
  #said: Buffer = Buffer.alloc(0);
  #wake: (() => void)[] = [];
  #closed = false;

  constructor(role: string, records: readonly Rec[], options: RunOptions = {}) {
    const stdio: ('pipe' | 'ignore' | number)[] = [
      ...(options.stdio ?? ['pipe', 'pipe', 'pipe']),
      'pipe',
      options.signals === false ? 'ignore' : 'pipe',
    ];
    for (let i = 0; i < (options.extra ?? 0); i++) stdio.push('pipe');
    this.child = spawn(HELPER, [role, ...(options.args ?? [ID])], {
      argv0: 'tsbox:',
      stdio,
    });
    for (const s of this.child.stdio) s?.on('error', () => {});
    this.child.stdout?.on('data', d => {
      this.stdout = Buffer.concat([this.stdout, d]);
      this.#notify();
    });
    this.child.stderr?.on('data', d => {
      this.stderr = Buffer.concat([this.stderr, d]);
    });
    this.channel.on('data', d => {
      this.#said = Buffer.concat([this.#said, d]);
      this.#notify();
    });
    this.channel.on('close', () => {
      this.#closed = true;
      this.#notify();
    });
    // Not 'close': the channel stays open as long as the supervisor lives.
    const ended = [this.child.stdout, this.child.stderr].map(
      stream => stream && new Promise(resolve => stream.once('close', resolve)),
    );
    const exit = new Promise<number>(resolve => {
      this.child.once('exit', (status, signal) =>
        resolve(status ?? 1000 + os.constants.signals[signal ?? 'SIGHUP']),
      );
    });
    this.exit = exit.then(async status => {
      await Promise.all(ended);
      return status;
    });
    if (records.length) this.channel.write(frame(records));
  }

  get channel(): Duplex {
    return this.child.stdio[3] as Duplex;
  }

  get events(): string[][] {
    return decode(this.#said);
  }

  #notify(): void {
    for (const w of this.#wake.splice(0)) w();
  }

  /** Resolves with the first event of that name, or undefined when the channel has been closed without it. */
  async event(name: string): Promise<string[] | undefined> {
    return this.until(() => this.events.find(e => e[0] === name));
  }

  async until<T>(look: () => T | undefined): Promise<T | undefined> {
    for (;;) {
      const found = look();
      if (found !== undefined || this.#closed) return found;
      await new Promise<void>(resolve => this.#wake.push(resolve));
    }
  }

  signal(n: number): void {
    (this.child.stdio[4] as Duplex).write(Buffer.of(n));
  }
}

export const CLONE = {
  NS: 0x20000,
  UTS: 0x4000000,
  IPC: 0x8000000,
  USER: 0x10000000,
  PID: 0x20000000,
  NET: 0x40000000,
};
export const ALL = Object.values(CLONE).reduce((a, b) => a + b, 0);
export const MS = { RDONLY: 1, NOSUID: 2, NODEV: 4, NOEXEC: 8, REC: 16384 };

const BUSYBOX = '/bin/busybox';

/** A root file system of busybox. */
export function busyboxTree(dir: string): void {
  for (const d of ['bin', 'dev', 'proc', 'sys', 'tmp', 'etc', 'root']) {
    fs.mkdirSync(path.join(dir, d), { recursive: true });
  }
  fs.copyFileSync(BUSYBOX, path.join(dir, 'bin/busybox'));
  fs.chmodSync(path.join(dir, 'bin/busybox'), 0o755);
  for (const name of execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    if (name !== 'busybox') fs.symlinkSync('busybox', path.join(dir, 'bin', name));
  }
  fs.writeFileSync(path.join(dir, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  if (process.env.TSBOX_TEST_HELPER) copyLibraries(dir);
}

/** A build with sanitizers is not static: its sealed copy finds its libraries in the container. */
function copyLibraries(dir: string): void {
  const said = spawnSync('ldd', [HELPER], { encoding: 'utf8' }).stdout;
  for (const file of said.match(/\/\S+/g) ?? []) {
    fs.mkdirSync(path.join(dir, path.dirname(file)), { recursive: true });
    fs.copyFileSync(file, path.join(dir, file));
  }
}

/** Header records for the maps that this account can have. */
export function maps(): Rec[] {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  if (uid === 0)
    return [
      ['uidmap', 0, 0, 65536],
      ['gidmap', 0, 0, 65536],
    ];
  const sub = (file: string): number[] | undefined =>
    fs.existsSync(file)
      ? fs
          .readFileSync(file, 'utf8')
          .split('\n')
          .find(l => l.startsWith(`${os.userInfo().username}:`))
          ?.split(':')
          .map(Number)
      : undefined;
  const u = sub('/etc/subuid');
  const g = sub('/etc/subgid');
  if (!u || !g)
    return [
      ['uidmap', 0, uid, 1],
      ['gidmap', 0, gid, 1],
      ['setgroups', 'deny'],
    ];
  return [
    ['uidmap', 0, uid, 1],
    ['uidmap', 1, u[1] ?? 0, 65535],
    ['gidmap', 0, gid, 1],
    ['gidmap', 1, g[1] ?? 0, 65535],
    ['uidmapper', '/usr/bin/newuidmap'],
    ['gidmapper', '/usr/bin/newgidmap'],
  ];
}

/** The header of a container in `dir`, whose image is `dir`/rootfs. */
export const header = (dir: string, ...more: Rec[]): Rec[] => [
  ['version', '1'],
  ['id', ID],
  ['cwd', dir],
  ['clone', ALL],
  ...maps(),
  ...more,
];

/** The first half of an ordinary container's plan, without the barrier. */
export function rootPlan(tty = false, root = 'rootfs'): Rec[] {
  return [
    ['private'],
    ['bindroot', root],
    ['mount', 'proc', 'proc', '/proc', MS.NOSUID + MS.NODEV + MS.NOEXEC, '', 'cs'],
    ['mount', 'tmpfs', 'tmpfs', '/dev', MS.NOSUID, 'mode=755,size=65536k', 'cs'],
    ...['null', 'zero', 'tty'].map((d): Rec => ['bind', `/dev/${d}`, `/dev/${d}`, 0, 'cn']),
    [
      'mount',
      'devpts',
      'devpts',
      '/dev/pts',
      MS.NOSUID + MS.NOEXEC,
      'newinstance,ptmxmode=0666,mode=0620',
      'cs',
    ],
    ['symlink', 'pts/ptmx', '/dev/ptmx'],
    ...(tty ? [['file', '/dev/console', '600'] as Rec] : []),
    ['pivot'],
    ...(tty ? [['tty'] as Rec] : [['session'] as Rec]),
  ];
}

export const env: Rec = ['env', 'PATH=/bin', 'TERM=dumb'];
export const sh = (script: string, ...args: string[]): Rec => [
  'exec',
  'sh',
  'sh',
  '-c',
  script,
  'sh',
  ...args,
];

/** A container of one shell script. */
export function container(
  dir: string,
  script: string,
  head: Rec[] = [['front', 'oe']],
  options?: RunOptions,
): Run {
  const tty = head.some(r => r[0] === 'tty');
  return new Run(
    'supervise',
    [...header(dir, ...head), ['plan', 'init'], ...rootPlan(tty), env, sh(script)],
    options,
  );
}

/** Pids whose command line contains the text, but not ours. */
export function processesWith(text: string): number[] {
  return fs
    .readdirSync('/proc')
    .filter(n => /^\d+$/.test(n) && Number(n) !== process.pid)
    .filter(n => {
      try {
        return fs.readFileSync(`/proc/${n}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}
