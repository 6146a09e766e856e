import type { UsernsMaps } from '../host/idmap.ts';
import { CLONE } from '../plan/flags.ts';
import type { IdMapLine, Op, Service } from '../plan/ops.ts';
import { encodeFrame, opRecord, type Record_ } from './wire.ts';

export const PROTOCOL_VERSION = '1';

/** The header records of docs/helper-protocol.md, typed. Paths may be relative to `cwd`. */
export interface Header {
  readonly id: string;
  readonly cwd: string;
  /** CLONE_NEW* bits. */
  readonly clone?: number;
  readonly maps?: UsernsMaps;
  /** The process to join: its pid and its start time in clock ticks. */
  readonly target?: { readonly pid: number; readonly start: number };
  readonly lock?: string;
  readonly state?: string;
  readonly log?: string;
  readonly socket?: string;
  /** Letters of `ioe`; absent: detached. */
  readonly front?: string;
  readonly tty?: { readonly rows: number; readonly columns: number };
  readonly detachKeys?: Uint8Array;
  readonly stdin?: boolean;
  /** What is executed at the end: if the file `ifThere` exists; without one, if nobody is connected. */
  readonly onExit?: { readonly ifThere?: string; readonly argv: readonly string[] };
  /** Bytes at which the log is put aside, and how many files are kept, the current one included. */
  readonly rotate?: { readonly size: number; readonly files: number };
  /** The journal, and the rest of the JSON object of this container's events. */
  readonly events?: { readonly path: string; readonly tail: string };
  /** The control group that the command is born in: a directory of the cgroup v2 file system. */
  readonly cgroup?: string;
  readonly keepFds?: readonly number[];
  /** The container's user namespace is nested in that of the holder of the networks, which is asked for its interfaces. */
  readonly holder?: HolderHeader;
  /** The container is cloned inside the user namespace of `target`, and those that the letters say: n network, i ipc, p pid. */
  readonly inside?: string;
}

export interface HolderHeader {
  /** Absolute paths. */
  readonly lock: string;
  readonly socket: string;
  /** The maps of its user namespace, for when it must be started. */
  readonly maps: UsernsMaps;
  /** docs/helper-protocol.md, "Networks". */
  readonly request: readonly Record_[];
}

/** With this word the model that the helper may have begun with is what is asked for (early.ts). */
const earlyRecord = (word: string | undefined): Record_[] => when(word, text => ['early', text]);

/** A whole request: header, the `init` plan, the services. */
export function requestRecords(
  header: Header,
  init: readonly Op[],
  services: readonly Service[] = [],
  early?: string,
): Record_[] {
  return [
    ...headerRecords(header),
    ...earlyRecord(early),
    ['plan', 'init'],
    ...init.map(opRecord),
    ...serviceRecords(services),
  ];
}

export const serviceRecords = (services: readonly Service[]): Record_[] =>
  services.flatMap(s => [serviceRecord(s), ...s.ops.map(opRecord)]);

export function resumeRecords(resume: readonly Op[]): Record_[] {
  return [['plan', 'resume'], ...resume.map(opRecord)];
}

export function headerRecords(h: Header): Record_[] {
  return [
    ['version', PROTOCOL_VERSION],
    ['id', h.id],
    ['cwd', h.cwd],
    ...when(h.clone, flags => ['clone', String(flags)]),
    ...(h.maps ? mapRecords(h.maps) : []),
    ...when(h.target, t => ['target', String(t.pid), String(t.start)]),
    ...when(h.lock, path => ['lock', path]),
    ...when(h.state, path => ['state', path]),
    ...when(h.log, path => ['log', path]),
    ...when(h.socket, path => ['socket', path]),
    ...when(h.front, streams => ['front', streams]),
    ...when(h.tty, t => ['tty', String(t.rows), String(t.columns)]),
    ...when(h.detachKeys, keys => ['detachkeys', keys]),
    ...(h.stdin ? [['stdin', 'open']] : []),
    ...when(h.onExit, e => ['onexit', e.ifThere ?? '', ...e.argv]),
    ...when(h.rotate, r => ['rotate', String(r.size), String(r.files)]),
    ...when(h.events, e => ['events', e.path, e.tail]),
    ...when(h.holder, holderRecord),
    ...when(h.inside, letters => ['inside', letters]),
    ...when(h.cgroup, path => ['cgroup', path]),
    ...(h.keepFds ?? []).map(fd => ['keepfd', String(fd)]),
  ];
}

/** Frames within a frame: one begins the holder if there is none, the other is passed on to it. */
export function holderRecord(h: HolderHeader): Record_ {
  const start: Record_[] = [
    ['version', PROTOCOL_VERSION],
    ['id', ''],
    ['cwd', '/'],
    ['clone', String(CLONE.NEWUSER)],
    ...mapRecords(h.maps),
  ];
  return ['holder', h.lock, h.socket, encodeFrame(start), encodeFrame(h.request)];
}

/** No lines: no user namespace, no map to write. */
function mapRecords(maps: UsernsMaps): Record_[] {
  return [
    ...maps.uid.map(line => mapLine('uidmap', line)),
    ...maps.gid.map(line => mapLine('gidmap', line)),
    ...when(maps.uidMapper, path => ['uidmapper', path]),
    ...when(maps.gidMapper, path => ['gidmapper', path]),
    ...(maps.denySetgroups ? [['setgroups', 'deny']] : []),
  ];
}

const mapLine = (name: string, l: IdMapLine): Record_ => [
  name,
  String(l.inside),
  String(l.outside),
  String(l.count),
];

const serviceRecord = (s: Service): Record_ => [
  'service',
  s.name,
  ...(s.ready ? ['ready'] : []),
  ...(s.fuse ? ['fuse'] : []),
  ...(s.early ? ['early'] : []),
];

const when = <T>(value: T | undefined, record: (value: T) => Record_): Record_[] =>
  value === undefined ? [] : [record(value)];
