import { parse, TomlError } from 'smol-toml';
import { messageOf, TsboxError } from '../errors.ts';
import { familyOf } from '../util/address.ts';
import { type Config, defaultConfig } from './config-default.ts';

/** Checks one value; returns what is wrong with it, or undefined. */
type Check = (value: unknown) => string | undefined;

const text: Check = v =>
  typeof v === 'string' && v !== '' ? undefined : 'must be a string that is not empty';
const path: Check = v =>
  typeof v === 'string' && v.startsWith('/') ? undefined : 'must be an absolute path';
const address: Check = v =>
  typeof v === 'string' && familyOf(v) !== 0 ? undefined : 'must be an IP address';
const flag: Check = v => (typeof v === 'boolean' ? undefined : 'must be true or false');
const ratio: Check = v => (typeof v === 'number' && v >= 1 ? undefined : 'must be a number of at least 1');
const texts: Check = v =>
  Array.isArray(v) && v.every(x => typeof x === 'string' && x !== '')
    ? undefined
    : 'must be a list of strings';
const oneOf =
  (...words: string[]): Check =>
  v =>
    typeof v === 'string' && words.includes(v) ? undefined : `must be one of ${words.join(', ')}`;
const pieces: Check = v =>
  typeof v === 'number' && Number.isInteger(v) && v >= 1024
    ? undefined
    : 'must be a number of bytes, at least 1024';
const aliases: Check = v =>
  isTable(v) && Object.values(v).every(name => text(name) === undefined)
    ? undefined
    : 'must be a table of names: fedora = "registry.example/fedora"';
const mirrors: Check = v =>
  isTable(v) && Object.values(v).every(list => texts(list) === undefined)
    ? undefined
    : 'must be a table of lists: "docker.io" = ["mirror.example"]';

/** Every key there is, as it is written in the file. */
const KEYS: Readonly<Record<string, Check>> = {
  root: path,
  runtime_dir: path,
  'storage.driver': oneOf('auto', 'overlay', 'fuse-overlayfs', 'vfs'),
  'network.driver': text,
  'network.publish_address': address,
  'cgroup.driver': oneOf('auto', 'systemd', 'cgroupfs', 'none'),
  'images.keep_blobs': flag,
  'images.require_signature': flag,
  'registries.mirrors': mirrors,
  'registries.insecure': texts,
  'registries.blocked': texts,
  'registries.aliases': aliases,
  'registries.chunk_size': pieces,
  'layer.max_ratio': ratio,
  'userns.mode': oneOf('auto', 'ranges', 'single', 'keep-id'),
  'userns.root_user': text,
};

/** Text of config.toml to a Config. Throws USAGE that names `file`, the line and the key. */
export function parseConfig(source: string, file: string): Config {
  const values = new Map<string, unknown>();
  collect(parseToml(source, file), '', (key, value) => {
    const check = KEYS[key];
    const problem = check ? check(value) : `is unknown; known are ${Object.keys(KEYS).join(', ')}`;
    if (problem !== undefined) throw bad(file, lineOf(source, key), `${key} ${problem}`);
    values.set(key, value);
  });
  return assemble(values);
}

function parseToml(source: string, file: string): Record<string, unknown> {
  try {
    return parse(source);
  } catch (error) {
    const line = error instanceof TomlError ? error.line : 1;
    throw bad(file, line, messageOf(error).split('\n')[0] ?? 'is no TOML', error);
  }
}

/** Calls `found` for each leaf; a table is entered only when a known key lies below it. */
function collect(
  table: Record<string, unknown>,
  prefix: string,
  found: (key: string, value: unknown) => void,
): void {
  for (const [name, value] of Object.entries(table)) {
    const key = prefix + name;
    const inner = Object.keys(KEYS).some(k => k.startsWith(`${key}.`));
    if (inner && isTable(value)) collect(value, `${key}.`, found);
    else found(key, value);
  }
}

function assemble(values: ReadonlyMap<string, unknown>): Config {
  const base = defaultConfig();
  const get = <T>(key: string, fallback: T): T => (values.has(key) ? (values.get(key) as T) : fallback);
  const maybe = <K extends string>(name: K, key: string): { [P in K]?: string } =>
    (values.has(key) ? { [name]: values.get(key) } : {}) as { [P in K]?: string };
  return {
    ...maybe('root', 'root'),
    ...maybe('runtimeDir', 'runtime_dir'),
    storage: { driver: get('storage.driver', base.storage.driver) },
    network: {
      driver: get('network.driver', base.network.driver),
      ...maybe('publishAddress', 'network.publish_address'),
    },
    cgroup: { driver: get('cgroup.driver', base.cgroup.driver) },
    images: {
      keepBlobs: get('images.keep_blobs', base.images.keepBlobs),
      requireSignature: get('images.require_signature', base.images.requireSignature),
    },
    registries: {
      mirrors: { ...get('registries.mirrors', base.registries.mirrors) },
      insecure: get('registries.insecure', base.registries.insecure),
      blocked: get('registries.blocked', base.registries.blocked),
      aliases: { ...get('registries.aliases', base.registries.aliases) },
      ...(values.has('registries.chunk_size') && {
        chunkSize: values.get('registries.chunk_size') as number,
      }),
    },
    layer: { maxRatio: get('layer.max_ratio', base.layer.maxRatio) },
    userns: { mode: get('userns.mode', base.userns.mode), ...maybe('rootUser', 'userns.root_user') },
  };
}

/**
 * The line where a key is set, for the message. The parser keeps no positions, so this reads the text again: headers name
 * the table, then the first line whose dotted key fits.
 */
export function lineOf(source: string, key: string): number {
  let table = '';
  const lines = source.split('\n');
  for (const [index, line] of lines.entries()) {
    const header = /^\s*\[+\s*([^\]]+?)\s*\]+/.exec(line)?.[1];
    if (header !== undefined) table = `${unquote(header)}.`;
    const name = /^\s*([\w."'\s-]+?)\s*=/.exec(line)?.[1];
    const here = header === undefined ? name && table + unquote(name) : unquote(header);
    if (here && (here === key || here.startsWith(`${key}.`))) return index + 1;
  }
  return 1;
}

const unquote = (dotted: string): string =>
  dotted
    .split('.')
    .map(part => part.trim().replace(/^(["'])(.*)\1$/, '$2'))
    .join('.');

const isTable = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v) && !(v instanceof Date);

function bad(file: string, line: number, problem: string, cause?: unknown): TsboxError {
  return new TsboxError('USAGE', `${file}:${line}: ${problem}`, {
    hint: 'docs/host-setup.md lists every setting',
    ...(cause === undefined ? {} : { cause }),
  });
}
