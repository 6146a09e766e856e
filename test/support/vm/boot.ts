import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { KERNEL, which } from '../requires.ts';
import { PROJECT } from '../source.ts';
import type { Booted } from '../uml/boot.ts';
import { parse } from '../uml/boot.ts';
import { MODULES } from './kernel.ts';

/**
 * A virtual machine with a distribution's kernel, which has everything that --strict asks for. Everything in it is emulated: no privilege and
 * no /dev/kvm. Its disk is made of files of this machine, none of which it can reach.
 */
const DISK = 700 * 1024 * 1024;
const FOLDING = 64 * 1024 * 1024;
const PROGRAMS = ['node', 'newuidmap', 'newgidmap', 'setpriv', 'chattr', 'fuse-overlayfs'];

/** Boots, runs the suite of `strict.mjs` in it, and resolves when it has switched itself off. `files`: more for its disk, by path. */
export async function bootVm(files: Readonly<Record<string, Buffer>>, limitMs: number): Promise<Booted> {
  const dir = mkdtempSync(join(tmpdir(), 'vm-'));
  try {
    const tree = join(dir, 'tree');
    fill(tree, files);
    const disk = format(join(dir, 'disk'), DISK, '-d', tree);
    // Names on it can be one whatever their case; no overlay mounts on such a file system.
    const folding = format(join(dir, 'folding'), FOLDING, '-O', 'casefold', '-E', 'encoding=utf8');
    return parse(await output(start([disk, folding]), limitMs));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function format(disk: string, size: number, ...more: readonly string[]): string {
  writeFileSync(disk, '');
  truncateSync(disk, size);
  const made = spawnSync('/sbin/mkfs.ext4', ['-q', '-F', '-O', '^has_journal', ...more, disk], {
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`mkfs.ext4: ${made.stderr}`);
  return disk;
}

function fill(tree: string, files: Readonly<Record<string, Buffer>>): void {
  const copy = (from: string, to: string): void => {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    copyFileSync(from, join(tree, to));
  };
  for (const name of ['proc', 'sys', 'dev', 'run', 'tmp', 'home', 'bin', 'folding'])
    mkdirSync(join(tree, name), { recursive: true });
  for (const name of PROGRAMS) {
    const path = which(name) ?? '';
    copy(path, `usr/bin/${name}`);
    for (const library of librariesOf(path)) copy(library, library);
  }
  copy('/bin/busybox', 'bin/busybox');
  for (const name of MODULES) copy(join(KERNEL, name), name);
  copy(join(PROJECT, 'test/support/vm/init.sh'), 'init');
  for (const name of ['vm/strict.mjs', 'uml/checks.mjs'])
    copy(join(PROJECT, 'test/support', name), `suite/test/support/${name}`);
  const shipped = (path: string): boolean => !/\/dist\/(exe|release|types|man)(\/|$)/.test(path);
  for (const name of readdirSync(join(PROJECT, 'node_modules')).filter(each =>
    /^(koffi|@koromix)$/.test(each),
  ))
    cpSync(join(PROJECT, 'node_modules', name), join(tree, 'suite/node_modules', name), { recursive: true });
  cpSync(join(PROJECT, 'dist'), join(tree, 'suite/dist'), { recursive: true, filter: shipped });
  const text = {
    passwd: 'root:x:0:0::/:/bin/sh\nu:x:1000:1000::/home/u:/bin/sh\n',
    group: 'root:x:0:\nu:x:1000:\n',
    subuid: 'u:100000:65536\n',
    subgid: 'u:100000:65536\n',
  };
  mkdirSync(join(tree, 'etc'));
  for (const [name, content] of Object.entries(text)) writeFileSync(join(tree, 'etc', name), content);
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, name)), { recursive: true });
    writeFileSync(join(tree, name), bytes);
  }
}

const librariesOf = (program: string): string[] =>
  [...spawnSync('ldd', [program], { encoding: 'utf8' }).stdout.matchAll(/(\/\S+) \(0x/g)].map(
    m => m[1] ?? '',
  );

const start = (disks: readonly string[]): ChildProcess =>
  spawn(
    'qemu-system-x86_64',
    [
      ...[
        '-accel',
        'tcg',
        '-cpu',
        'max',
        '-m',
        '1024',
        '-nodefaults',
        '-display',
        'none',
        '-no-reboot',
        '-serial',
        'stdio',
      ],
      ...[
        '-kernel',
        join(KERNEL, 'vmlinuz'),
        '-append',
        'root=/dev/nvme0n1 rw init=/init console=ttyS0 quiet panic=-1',
      ],
      ...disks.flatMap((disk, i) => [
        ...['-drive', `file=${disk},if=none,id=disk${i},format=raw,cache=unsafe`],
        ...['-device', `nvme,drive=disk${i},serial=${i}`],
      ]),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );

function output(child: ChildProcess, limitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => {
      text += `\nnot ended within ${limitMs} ms`;
      child.kill('SIGKILL');
    }, limitMs);
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        text += chunk;
      });
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}
