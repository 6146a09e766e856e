/** What strace(1) says about calls with paths: `strace -f -y -e trace=%file,…` (paths of descriptors in angle brackets). */
export const STRACE = [
  '-f',
  '-y',
  '-qq',
  '-s',
  '4096',
  '-e',
  'trace=%file,openat2,open_tree,move_mount,mount_setattr,pivot_root,chroot,setns',
];

/** Below these, files are an image's or a container's; the directories themselves are tsbox's. */
const TREE = /\/(containers\/[0-9a-f]{64}\/(merged|upper)|layers\/[0-9a-f]{64}\/fs)\/(.+)$/;
/** The part of a path that is a layer: nobody writes to layers, so that what was seen to be a directory stays one. */
const LAYER = /^.*\/layers\/[0-9a-f]{64}\/fs/;
/** Calls whose last component is never followed. */
const NEVER_FOLLOW = /^(mkdirat|mknodat|symlinkat|unlinkat|readlinkat|renameat2?|linkat|rmdir|unlink)$/;
const NOFOLLOW =
  /O_NOFOLLOW|AT_SYMLINK_NOFOLLOW|RESOLVE_(IN_ROOT|BENEATH|NO_SYMLINKS)|O_CREAT\|O_EXCL|OPEN_TREE_CLOEXEC\|AT_SYMLINK/;

export interface Outside {
  /** Calls on a name in a tree, each beside the directory's descriptor and without following a link. */
  readonly byDescriptor: number;
  /** Lines of calls that would have followed what an image has put there. */
  readonly byPath: string[];
}

/** Looks at layers a component at a time: each directory on the way was seen to be one, by a look that follows nothing. */
class Layers {
  readonly #directories = new Set<string>();

  allows(path: string, call: string, line: string): boolean {
    const root = LAYER.exec(path)?.[0];
    const looks = /^(statx|newfstatat|lstat|l?getxattr)$/.test(call) && /NOFOLLOW|^\d+ +l/.test(line);
    if (root === undefined || !(looks || line.includes('O_DIRECTORY'))) return false;
    const parent = path.slice(0, path.lastIndexOf('/'));
    if (parent !== root && !this.#directories.has(parent)) return false;
    if (looks && line.includes('S_IFDIR')) this.#directories.add(path);
    return looks || this.#directories.has(path);
  }
}

/**
 * Judges each call of processes that are outside of the container: until their pivot_root, chroot, or entry into its mount namespace. A
 * name in a tree must be one component beside a descriptor, not `..`, and not be followed, or be resolved by openat2(2) beneath one.
 */
export function outsidePaths(trace: string): Outside {
  const inside = new Set<string>();
  const byPath: string[] = [];
  let byDescriptor = 0;
  const layers = new Layers();
  for (const line of trace.split('\n')) {
    const [, pid = '', call = '', args = ''] = /^(\d+) +(\w+)\((.*)$/.exec(line) ?? [];
    if (/^(pivot_root|chroot)$/.test(call) || (call === 'setns' && /CLONE_NEWNS|\/mnt/.test(args)))
      inside.add(pid);
    if (inside.has(pid)) continue;
    for (const { dir, path } of pathsOf(args)) {
      const whole = path.startsWith('/') ? path : `${dir}/${path}`;
      if (!TREE.test(whole)) continue;
      const single = !path.includes('/') && path !== '..';
      const resolved = call === 'openat2' && /RESOLVE_(IN_ROOT|BENEATH|NO_SYMLINKS)/.test(args);
      if (resolved || (single && (NEVER_FOLLOW.test(call) || NOFOLLOW.test(args)))) byDescriptor++;
      else if (!layers.allows(whole, call, line)) byPath.push(line);
    }
  }
  return { byDescriptor, byPath };
}

/** `AT_FDCWD</home>, "name"` and lone absolute names; empty ones mean the descriptor itself. */
function pathsOf(args: string): { dir: string; path: string }[] {
  const beside = [...args.matchAll(/(?:AT_FDCWD|\d+)<([^>]*)>, "((?:[^"\\]|\\.)+)"/g)].map(m => ({
    dir: m[1] ?? '',
    path: m[2] ?? '',
  }));
  const alone = [...args.matchAll(/(?:^|, )"(\/(?:[^"\\]|\\.)*)"/g)].map(m => ({
    dir: '',
    path: m[1] ?? '',
  }));
  return [...beside, ...alone.filter(a => !beside.some(b => b.path === a.path))];
}
