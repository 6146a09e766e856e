/** What the escape suite answers, in the order of docs/escape-suite.md: each entry, what is tried, and the tests beside the suite that try it, too. */
export interface EscapeEntry {
  readonly id: string;
  readonly attack: string;
  /** Other test files that hold it. */
  readonly also?: readonly string[];
  /** No file of the suite: who holds it. */
  readonly elsewhere?: string;
}

const cve = (id: string, attack: string, ...also: string[]): EscapeEntry => ({
  id: `CVE-${id}`,
  attack,
  ...(also.length > 0 && { also }),
});
const report = (id: string, attack: string, ...also: string[]): EscapeEntry => ({
  id,
  attack,
  ...(also.length > 0 && { also }),
});
const build = (id: string, attack: string): EscapeEntry => ({
  id: `CVE-${id}`,
  attack,
  elsewhere: '`test/security/build-escapes.test.ts`, which needs no scene',
});

const LINKS = 'test/security/layer-links.test.ts';
const REGISTRY = 'test/security/registry-hostile.test.ts';
const CP = 'test/security/cp-links.test.ts';

export const ENTRIES: readonly EscapeEntry[] = [
  cve('2017-5226', 'TIOCSTI and TIOCLINUX type into the terminal of the caller'),
  cve('2018-15664', 'directories are exchanged for links while `cp` copies', CP),
  cve('2019-5736', 'the program that starts a container is overwritten through /proc/PID/exe'),
  cve('2019-10152', 'the destination of `cp` is a link that leads out', CP),
  cve('2019-14271', '`cp` loads libraries of the container', CP),
  cve('2019-18466', 'the source of `cp` is a link or a glob that is resolved on the host', CP),
  cve('2020-15257', 'control sockets in the abstract namespace'),
  cve('2021-20199', 'published connections come from 127.0.0.1', 'test/contract/network.test.ts'),
  cve('2021-29136', 'a layer replaces its root by a link', 'test/security/layer-paths.test.ts'),
  cve('2021-30465', 'a mount target is exchanged for a link to the host'),
  cve('2021-41190', 'a document that is manifest and index', REGISTRY),
  cve(
    '2022-0492',
    'release_agent of cgroup v1 by a nested user namespace',
    'test/security/capabilities.test.ts',
  ),
  cve('2022-1227', '`top` executes programs of the image'),
  cve('2022-27649', 'inheritable capabilities of run', 'test/security/capabilities.test.ts'),
  cve('2022-29162', 'inheritable capabilities of exec', 'test/security/capabilities.test.ts'),
  cve('2023-0778', 'files of a volume are exchanged for links while it is exported'),
  cve('2023-25809', 'the host’s cgroup tree can be written', 'test/security/masked-paths.test.ts'),
  cve('2024-0132', 'device files are mounted through links of the image, by hooks'),
  build('2024-1753', 'the source of a mount of RUN is a link to /'),
  cve('2024-3727', 'digests that are paths', REGISTRY, 'test/security/load-archives.test.ts'),
  build('2024-9407', 'options of a mount of RUN set its propagation'),
  build('2024-9675', 'the id of a cache climbs'),
  cve('2024-9676', '/etc/passwd as a link out, a FIFO, without end', 'test/security/image-files.test.ts'),
  build('2024-11218', 'mounts of RUN in parallel stages'),
  cve('2024-21626', 'a working directory that is a leaked descriptor'),
  cve('2024-45310', 'what is made for a mount target appears on the host'),
  cve('2025-9566', 'generated files are written through links', 'test/security/image-files.test.ts'),
  cve('2025-23266', 'the environment of an image in programs of the host'),
  cve('2025-31133', 'masking with a /dev/null that is a link', 'test/security/masked-paths.test.ts'),
  cve('2025-52565', '/dev/console is bound from what the container put there'),
  cve('2025-52881', 'writes to /proc land in other files', 'test/security/masked-paths.test.ts'),
  cve('2026-23745', 'absolute and climbing links of layers', LINKS),
  cve('2026-26960', 'hard links through chains of links', LINKS),
  cve('2026-30892', 'users that are not quite numbers', 'test/unit/runtime/users.test.ts'),
  cve('2026-41567', 'decompressors of the container are executed'),
  cve('2026-41568', 'mount points are exchanged while `cp` mounts volumes'),
  cve('2026-41579', '/dev is a link out (runc)', 'test/security/masked-paths.test.ts'),
  cve('2026-47766', '/dev is a link out (crun)', 'test/security/masked-paths.test.ts'),
  report(
    'slirp host loopback over IPv4 and IPv6',
    'services of the host’s loopback',
    'test/contract/network.test.ts',
  ),
  report('abstract sockets', 'sockets without a file', 'test/contract/network.test.ts'),
  report('--user strings', 'signs, exponents, overflows, names of digits', 'test/unit/runtime/users.test.ts'),
  report('passwd as FIFO, link, 5 GB', 'reading without end, or of the host'),
  report('working directory /proc/self/fd/N', 'run and exec -w'),
  report('/dev, /proc, /sys and /etc as links', 'directories of the image that are mounted on'),
  report('swap races on mount targets', '700 rounds, 15,000 with --long'),
  report('swap races on cp', '82 rounds for each user and driver, 10,000 with --long'),
  report('environment of the host', 'tokens in variables of the caller'),
  report('descriptors of the caller', 'open directories that are handed down'),
  report('environment of an image', 'LD_PRELOAD, NODE_OPTIONS, PATH'),
  report(
    'labels with escapes and option syntax',
    'terminals, shells and argument lists',
    'test/security/image-files.test.ts',
  ),
  report('world-readable store', 'other users of the machine'),
  report('signals to and ptrace of the supervisor', 'from inside'),
  report('fork bomb with a pids limit', 'where a pids controller is delegated; else the limit is refused'),
  report('a million open files', 'in one container'),
  report('descriptor-based set-up', 'the system calls of run, start, exec, cp, diff and rm'),
];
