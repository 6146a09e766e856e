import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { CLONE } from '../plan/flags.ts';
import type { Service } from '../plan/ops.ts';
import { type Header, headerRecords, serviceRecords } from './header.ts';
import { encodeFrame, type Record_ } from './wire.ts';

/**
 * What a container asks for before anything of its own is looked at: its namespaces, its id maps and the services that are
 * the same for every container. The next one most likely asks for the same, so the helper that waits for its request makes
 * them from this model of the last (docs/helper-protocol.md, "Early"), and throws them away when the request says otherwise.
 */
export interface Model {
  /** Equal words, equal model: the helper compares nothing else. */
  readonly word: string;
  readonly records: readonly Record_[];
}

/** Of headers with anything that decides about the namespaces beside these, no model is made. */
const OF_ONE_CONTAINER = new Set<keyof Header>([
  'id',
  'cwd',
  'lock',
  'state',
  'log',
  'socket',
  'front',
  'tty',
  'detachKeys',
  'stdin',
  'onExit',
  'rotate',
  'events',
  'cgroup',
]);

/** Undefined where what is asked for is of this container alone. Services that are not `early` are left out. */
export function modelOf(header: Header, services: readonly Service[]): Model | undefined {
  const { clone: all, maps } = header;
  const others = Object.entries(header).filter(
    ([name, value]) => value !== undefined && !OF_ONE_CONTAINER.has(name as keyof Header),
  );
  if (all === undefined || maps === undefined || others.length !== 2) return undefined;
  // Pid 1 is born in the control group, which is of this container: the helper makes it, and its namespace, when it knows which.
  const clone = header.cgroup === undefined ? all : all & ~CLONE.NEWPID;
  const records = [
    ...headerRecords({ id: 'early', cwd: '/', clone, maps }),
    ...serviceRecords(services.filter(s => s.early)),
  ];
  const word = records.map(record => record.join(' ')).join('\n');
  return { word, records: [...records.slice(0, 1), ['early', word], ...records.slice(1)] };
}

/** The helper starts the early ones in this order, and finds them at the same place in the request. */
export const earlyFirst = (services: readonly Service[]): Service[] => [
  ...services.filter(s => s.early),
  ...services.filter(s => !s.early),
];

/** Where the start-up script (src/cli/boot.sh) looks for it. What cannot be written is a slower start, no more. */
export function keepModel(path: string, { records }: Model): void {
  const frame = encodeFrame(records);
  try {
    if (readFileSync(path).equals(frame)) return;
  } catch {}
  try {
    const made = `${path}.${process.pid}`;
    writeFileSync(made, frame, { mode: 0o600 });
    renameSync(made, path);
  } catch {}
}
