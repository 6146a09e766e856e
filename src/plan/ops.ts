/**
 * Plans as data. An operation is a name, its literal fields and one line of why; the helper performs it
 * (docs/helper-protocol.md has the table), `--explain` prints it, unit tests compare it. This room is pure: no I/O.
 */
export type Field = string | Uint8Array;

export interface Op {
  readonly name: OpName;
  readonly fields: readonly Field[];
  /** One line for `--explain`: the reason, not the name in other words. */
  readonly why: string;
  /** The walk goes on when it fails. */
  readonly optional?: boolean;
}

export type OpName = (typeof OP_NAMES)[number];

export const OP_NAMES = [
  'private',
  'unshare',
  'join',
  'root',
  'bindroot',
  'chdir',
  'mkdir',
  'file',
  'symlink',
  'write',
  'mount',
  'hostmount',
  'bind',
  'hostbind',
  'fuse',
  'mask',
  'readonly',
  'rootreadonly',
  'pivot',
  'hostname',
  'domainname',
  'loopback',
  'procwrite',
  'oomscore',
  'rlimit',
  'umask',
  'tty',
  'session',
  'barrier',
  'owner',
  'bound',
  'ids',
  'nonewprivs',
  'landlock',
  'keyring',
  'idmap',
  'selfcheck',
  'seccomp',
  'caps',
  'env',
  'init',
  'exec',
  'rmtree',
  'chown',
  'listen',
  'forward',
  'serve',
  'asked',
  'get',
  'put',
  'affinity',
  'nice',
  'share',
] as const;

/** A process beside the container, walked by a child of the supervisor: network helper, FUSE server. */
export interface Service {
  readonly name: string;
  /** The container waits until it has written a byte to descriptor 3. */
  readonly ready: boolean;
  /** It gets the descriptor of the `fuse` op as 5. */
  readonly fuse: boolean;
  /** Nothing in it is of one container: it may be started before the container is known, and nothing waits for its end. */
  readonly early?: boolean;
  readonly ops: readonly Op[];
}

/** One line of a uid or gid map (user_namespaces(7)). */
export interface IdMapLine {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

type Number_ = number | bigint;
const op = (name: OpName, why: string, ...fields: Array<Field | Number_>): Op => ({
  name,
  why,
  fields: fields.map(f => (typeof f === 'number' || typeof f === 'bigint' ? String(f) : f)),
});

/** Marks an operation whose failure does not stop the walk. */
export const optional = (o: Op): Op => ({ ...o, optional: true });

const octal = (mode: number): string => mode.toString(8);
const hex = (mask: bigint): string => mask.toString(16);

/** `how` letters of mount and bind: create the target, refuse symbolic links, source must be a character device. */
export type How = '' | 'c' | 's' | 'cs' | 'cn' | 'csn';

export interface MountFields {
  type: string;
  source?: string;
  target: string;
  flags?: number;
  data?: string;
  how?: How;
}

export interface BindFields {
  source: string;
  target: string;
  flags?: number;
  how?: How;
}

/** A socket on the host for a port inside; `first` 0: any free one. Flags: p PROXY v2, s same port as before, 6 only with IPv6. */
export interface ListenFields {
  protocol: 'tcp' | 'udp';
  ip: string;
  first: number;
  last: number;
  inside: number;
  flags?: string;
}

/** What must be so just before `exec`. The sets of capabilities are the most that may be there. */
export interface CheckFields {
  readonly uid: number;
  readonly gid: number;
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly bounding: bigint;
  readonly ambient: bigint;
  readonly noNewPrivileges: boolean;
  readonly filter: boolean;
}

const mapText = (lines: readonly IdMapLine[]): string =>
  `\n${lines.map(l => `${l.inside} ${l.outside} ${l.count}\n`).join('')}`;

/** Constructors of every operation, in the order of the protocol's table. Targets are paths inside the container. */
export const ops = {
  private: (why: string) => op('private', why),
  unshare: (flags: number, why: string) => op('unshare', why, flags),
  join: (flags: number, why: string) => op('join', why, flags),
  root: (path: string, why: string) => op('root', why, path),
  bindroot: (path: string, why: string) => op('bindroot', why, path),
  chdir: (path: string, why: string) => op('chdir', why, path),
  mkdir: (target: string, mode: number, why: string, uid = 0, gid = 0) =>
    op('mkdir', why, target, octal(mode), uid, gid),
  file: (target: string, mode: number, why: string) => op('file', why, target, octal(mode)),
  symlink: (text: string, target: string, why: string) => op('symlink', why, text, target),
  write: (target: string, content: Field, mode: number, why: string) =>
    op('write', why, target, content, octal(mode)),
  mount: (m: MountFields, why: string) =>
    op('mount', why, m.type, m.source ?? m.type, m.target, m.flags ?? 0, m.data ?? '', m.how ?? ''),
  hostmount: (m: Omit<MountFields, 'how'>, why: string) =>
    op('hostmount', why, m.type, m.source ?? m.type, m.target, m.flags ?? 0, m.data ?? ''),
  bind: (b: BindFields, why: string) => op('bind', why, b.source, b.target, b.flags ?? 0, b.how ?? ''),
  hostbind: (source: string, path: string, flags: number, why: string) =>
    op('hostbind', why, source, path, flags),
  fuse: (path: string, data: string, why: string) => op('fuse', why, path, data),
  mask: (target: string, why: string) => op('mask', why, target),
  readonly: (target: string, why: string) => op('readonly', why, target),
  rootreadonly: (why: string) => op('rootreadonly', why),
  pivot: (why: string) => op('pivot', why),
  hostname: (name: string, why: string) => op('hostname', why, name),
  domainname: (name: string, why: string) => op('domainname', why, name),
  loopback: (why: string) => op('loopback', why),
  procwrite: (target: string, content: string, why: string) => op('procwrite', why, target, content),
  oomscore: (value: number, why: string) => op('oomscore', why, value),
  rlimit: (resource: number, soft: Number_, hard: Number_, why: string) =>
    op('rlimit', why, resource, soft, hard),
  umask: (mode: number, why: string) => op('umask', why, octal(mode)),
  tty: (why: string) => op('tty', why),
  session: (why: string) => op('session', why),
  barrier: (paths: readonly string[], why: string) => op('barrier', why, ...paths),
  owner: (uid: number, gid: number, why: string) => op('owner', why, uid, gid),
  bound: (mask: bigint, why: string) => op('bound', why, hex(mask)),
  ids: (uid: number, gid: number, groups: readonly number[], why: string) =>
    op('ids', why, uid, gid, ...groups),
  nonewprivs: (why: string) => op('nonewprivs', why),
  landlock: (scoped: number, must: boolean, why: string) => op('landlock', why, scoped, Number(must)),
  keyring: (why: string) => op('keyring', why),
  idmap: (uid: readonly IdMapLine[], gid: readonly IdMapLine[], why: string) =>
    op('idmap', why, mapText(uid), mapText(gid)),
  selfcheck: (c: CheckFields, why: string) =>
    op(
      'selfcheck',
      why,
      ...[c.uid, c.gid, hex(c.effective), hex(c.permitted), hex(c.inheritable), hex(c.bounding)],
      ...[hex(c.ambient), Number(c.noNewPrivileges), Number(c.filter)],
    ),
  seccomp: (program: Uint8Array, why: string) => op('seccomp', why, program),
  caps: (c: { effective: bigint; permitted: bigint; inheritable: bigint; ambient: bigint }, why: string) =>
    op('caps', why, hex(c.effective), hex(c.permitted), hex(c.inheritable), hex(c.ambient)),
  env: (entries: readonly string[], why: string) => op('env', why, ...entries),
  init: (why: string) => op('init', why),
  exec: (program: string, argv: readonly string[], why: string) => op('exec', why, program, ...argv),
  rmtree: (path: string, why: string) => op('rmtree', why, path),
  chown: (target: string, uid: number, gid: number, why: string) => op('chown', why, target, uid, gid),
  listen: (l: ListenFields, why: string) =>
    op('listen', why, l.protocol, l.ip, l.first, l.last, l.inside, l.flags ?? '-'),
  forward: (socket: string, why: string) => op('forward', why, socket),
  serve: (why: string) => op('serve', why),
  share: (from: { pid: number; start: number; path: string }, target: string, why: string) =>
    op('share', why, from.pid, from.start, from.path, target),
  asked: (why: string) => op('asked', why),
  get: (path: string, why: string) => op('get', why, path),
  put: (path: string, mode: number | undefined, why: string) =>
    op('put', why, path, mode === undefined ? '' : octal(mode)),
  affinity: (cpus: readonly number[], why: string) => op('affinity', why, cpus.join(',')),
  nice: (value: number, why: string) => op('nice', why, value),
} as const;
