import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { MountRecord } from '../store/container-record.ts';
import { parseSize } from '../util/size.ts';
import {
  anonymousVolume,
  cleanTarget,
  isPropagation,
  mountUsage,
  namedVolume,
  tmpfsRecord,
} from './mount-values.ts';

const HINT =
  '--mount type=bind,source=/host,target=/path[,readonly], type=volume,source=name,target=/path, type=tmpfs,target=/path';

/** docker's --mount. Throws USAGE. */
export function parseMountFlag(spec: string): MountRecord {
  const fields = new Fields(spec);
  const type = fields.take('type') ?? 'volume';
  const target = cleanTarget(fields.take('target', 'destination', 'dst') ?? '', spec);
  const record = PARSERS.get(type)?.(fields, target);
  if (!record)
    throw mountUsage(spec, `type ${JSON.stringify(type)} is not known: bind, volume or tmpfs`, HINT);
  fields.refuseRest(type);
  return record;
}

const PARSERS: ReadonlyMap<string, (fields: Fields, target: string) => MountRecord> = new Map([
  ['bind', bindMount],
  ['volume', volumeMount],
  ['tmpfs', tmpfsMount],
]);

function bindMount(fields: Fields, target: string): MountRecord {
  const source = fields.take('source', 'src');
  if (!source) throw mountUsage(fields.spec, 'a bind mount needs a source', HINT);
  // Docker wants absolute paths here, but takes relative ones as -v does.
  const path = resolve(source);
  const propagation = fields.take('bind-propagation') ?? 'rprivate';
  if (!isPropagation(propagation))
    throw mountUsage(fields.spec, `bind-propagation ${JSON.stringify(propagation)} is not known`, HINT);
  const options = [
    ...(propagation.endsWith('private') ? [] : [propagation]),
    ...alone(fields),
    ...owned(fields),
  ];
  const readOnly = fields.flag('readonly', 'ro');
  fields.take('consistency');
  if (fields.flag('bind-create-src')) mkdirSync(path, { recursive: true });
  return { type: 'bind', source: path, target, readOnly, options, anonymous: false };
}

/** `bind`: without what is mounted below the source. A read-only mount is read-only all the way down, as docker's default is. */
function alone(fields: Fields): string[] {
  const recursive = fields.take('bind-recursive') ?? 'enabled';
  if (!['enabled', 'disabled', 'readonly'].includes(recursive)) {
    const why =
      recursive === 'writable'
        ? 'what is below a read-only mount is read-only'
        : 'it is enabled, disabled or readonly';
    throw mountUsage(fields.spec, `bind-recursive=${recursive}: ${why}`, HINT);
  }
  return fields.flag('bind-nonrecursive') || recursive === 'disabled' ? ['bind'] : [];
}

/** podman's words for `:U` and `:z`. */
function owned(fields: Fields): string[] {
  fields.take('relabel');
  return fields.flag('U', 'chown') ? ['U'] : [];
}

function volumeMount(fields: Fields, target: string): MountRecord {
  const name = fields.take('source', 'src');
  const base = anonymousVolume(target);
  const options = [...(fields.flag('volume-nocopy') ? ['nocopy'] : []), ...owned(fields)];
  const driver = fields.take('volume-driver') ?? 'local';
  if (driver !== 'local')
    throw mountUsage(fields.spec, `volume-driver ${driver}: the only one is local`, HINT);
  return {
    ...base,
    ...(name ? namedVolume(name, fields.spec) : {}),
    readOnly: fields.flag('readonly', 'ro'),
    options,
  };
}

function tmpfsMount(fields: Fields, target: string): MountRecord {
  const size = fields.take('tmpfs-size');
  const bytes = size === undefined ? undefined : parseSize(size);
  if (size !== undefined && bytes === undefined)
    throw mountUsage(fields.spec, `tmpfs-size ${JSON.stringify(size)} is not a size`, 'tmpfs-size=64m');
  const mode = fields.take('tmpfs-mode');
  if (mode !== undefined && !/^[0-7]{1,4}$/.test(mode))
    throw mountUsage(
      fields.spec,
      `tmpfs-mode ${JSON.stringify(mode)} is not an octal mode`,
      'tmpfs-mode=1770',
    );
  return tmpfsRecord(target, [
    ...(bytes === undefined ? [] : [`size=${bytes}`]),
    ...(mode === undefined ? [] : [`mode=${mode}`]),
    ...(fields.flag('readonly', 'ro') ? ['ro'] : []),
  ]);
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['volume-subpath', 'a link in the volume could lead out of it; mount the whole volume'],
  ['volume-opt', "options of the driver 'local' are mounts, which are root's"],
  ['volume-label', 'labels belong to tsbox volume create'],
]);

/** `key=value` and bare `key` words of a line of CSV, each taken once. */
class Fields {
  readonly spec: string;
  readonly #map = new Map<string, string>();

  constructor(spec: string) {
    this.spec = spec;
    for (const word of csvWords(spec)) {
      const at = word.indexOf('=');
      const key = at < 0 ? word : word.slice(0, at);
      if (this.#map.has(key)) throw mountUsage(spec, `${JSON.stringify(key)} is given twice`, HINT);
      this.#map.set(key, at < 0 ? 'true' : word.slice(at + 1));
    }
  }

  /** By any of its names; undefined when absent. */
  take(...names: string[]): string | undefined {
    const found = names.filter(name => this.#map.has(name));
    if (found.length > 1) throw mountUsage(this.spec, `${found.join(' and ')} are the same`, HINT);
    const value = this.#map.get(found[0] ?? '');
    this.#map.delete(found[0] ?? '');
    return value;
  }

  flag(...names: string[]): boolean {
    const text = this.take(...names) ?? 'false';
    if (['true', '1'].includes(text)) return true;
    if (['false', '0'].includes(text)) return false;
    throw mountUsage(this.spec, `${names[0]} is true or false, not ${JSON.stringify(text)}`, HINT);
  }

  refuseRest(type: string): void {
    const [key] = this.#map.keys();
    if (key === undefined) return;
    throw mountUsage(
      this.spec,
      `${JSON.stringify(key)}: ${REASONS.get(key) ?? `no field of a mount of type ${type}`}`,
      HINT,
    );
  }
}

/** RFC 4180: a word in quotes may hold commas, two quotes in it are one. */
function csvWords(line: string): string[] {
  const words = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/g)];
  const length = words.reduce((sum, [text]) => sum + text.length, 0);
  if (line === '' || length !== line.length) throw mountUsage(line, 'it is no list of key=value', HINT);
  return words.map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  );
}
