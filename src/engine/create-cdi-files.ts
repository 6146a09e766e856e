import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { absoluteEnvironment } from '../host/paths.ts';
import { parseYaml, type Yaml } from '../util/yaml.ts';

/** One CDI file. */
export interface CdiSpec {
  /** `vendor.com/class`. */
  readonly kind: string;
  readonly edits: CdiEdit;
  readonly devices: ReadonlyMap<string, CdiEdit>;
}

/** `containerEdits` of a file or a device. */
export interface CdiEdit {
  /** As --device takes them. */
  readonly devices: readonly string[];
  readonly mounts: readonly { hostPath: string; containerPath: string; options: readonly string[] }[];
  readonly env: readonly string[];
  readonly groups: readonly string[];
  /** How many there are. */
  readonly hooks: number;
}

/** Read in this order; what comes later counts more. The last one is the user's own. */
const directories = (): string[] => [
  '/etc/cdi',
  '/var/run/cdi',
  join(absoluteEnvironment('XDG_CONFIG_HOME') ?? join(homedir(), '.config'), 'tsbox/cdi'),
];

/** All CDI files of the machine, those that count most first. Throws HOST for one that cannot be read or is malformed. */
export function readCdiSpecs(): CdiSpec[] {
  return directories().flatMap(filesOf).reverse().map(readSpec);
}

function filesOf(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter(name => /\.(json|ya?ml)$/.test(name))
      .sort()
      .map(name => join(directory, name));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

function readSpec(path: string): CdiSpec {
  try {
    const text = readFileSync(path, 'utf8');
    return specOf(asMap(path.endsWith('.json') ? (JSON.parse(text) as Yaml) : parseYaml(text)));
  } catch (cause) {
    const hint = 'correct or remove the file; nvidia-ctk cdi list shows what another reader sees';
    throw new TsboxError('HOST', `the CDI file ${path} cannot be used: ${messageOf(cause)}`, { cause, hint });
  }
}

type Map_ = Readonly<Record<string, Yaml>>;

function specOf(doc: Map_): CdiSpec {
  const devices = list(doc.devices).map(asMap);
  return {
    kind: asText(doc.kind),
    edits: editOf(asMap(doc.containerEdits ?? {})),
    devices: new Map(devices.map(d => [String(d.name), editOf(asMap(d.containerEdits ?? {}))])),
  };
}

function editOf(edits: Map_): CdiEdit {
  return {
    devices: list(edits.deviceNodes).map(asMap).map(deviceWord),
    mounts: list(edits.mounts)
      .map(asMap)
      .map(m => ({
        hostPath: asPath(m.hostPath),
        containerPath: asPath(m.containerPath),
        options: list(m.options).map(asText),
      })),
    env: list(edits.env).map(asText),
    groups: list(edits.additionalGids).map(String),
    hooks: list(edits.hooks).length,
  };
}

/** Permissions are left out: the host's own count. */
const deviceWord = (node: Map_): string => `${asPath(node.hostPath ?? node.path)}:${asPath(node.path)}`;

const list = (value: Yaml | undefined): readonly Yaml[] => {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new Error(`${JSON.stringify(value)} is no list`);
};

function asMap(value: Yaml | undefined): Map_ {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Map_;
  throw new Error(`${JSON.stringify(value ?? null)} is no mapping`);
}

function asText(value: Yaml | undefined): string {
  if (typeof value === 'string' && !value.includes('\0')) return value;
  throw new Error(`${JSON.stringify(value ?? null)} is no text`);
}

function asPath(value: Yaml | undefined): string {
  const path = asText(value);
  if (path.startsWith('/') && !path.includes(':')) return path;
  throw new Error(`${JSON.stringify(path)} is no absolute path`);
}
