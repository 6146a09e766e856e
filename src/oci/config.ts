import {
  asArray,
  asDigest,
  asKeys,
  asObject,
  asSize,
  asString,
  asStringMap,
  asStrings,
  field,
  type Json,
  malformed,
  parseObject,
} from './guard.ts';
import { MAX_LAYERS } from './manifest.ts';

/** What an image says about the process to run; docker's field names, as they stand in the file. */
export interface RunConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  /** `NAME=value`. */
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  /** Seconds. Docker's. */
  readonly StopTimeout?: number;
  /** Docker's. */
  readonly Shell?: readonly string[];
  /** Docker's. */
  readonly OnBuild?: readonly string[];
  /** Docker's. */
  readonly Healthcheck?: Healthcheck;
}

/** Times are nanoseconds. */
export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  /** Docker's. */
  readonly StartInterval?: number;
  readonly Retries?: number;
}

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  /** True for an instruction that made no layer. */
  readonly empty_layer?: boolean;
}

/** The image config (OCI image-spec, config.md; docker's is a superset). */
export interface ImageConfig {
  readonly created?: string;
  readonly author?: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly os: string;
  readonly config: RunConfig;
  readonly rootfs: {
    readonly type: 'layers';
    /** Digests of the uncompressed layers, base first. */
    readonly diff_ids: readonly string[];
  };
  readonly history: readonly HistoryEntry[];
  /** Docker's. */
  readonly docker_version?: string;
}

/** Bytes. */
export const MAX_CONFIG_SIZE = 8 << 20;

/** Throws MANIFEST. Fields that are not in the type are dropped; who rewrites a config starts from its bytes. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const doc = parseObject(bytes, 'the image config', MAX_CONFIG_SIZE);
  const rootfs = asObject(doc.rootfs, 'rootfs');
  if (rootfs.type !== 'layers') malformed('rootfs.type', 'is not "layers"');
  const diffIds = asArray(rootfs.diff_ids ?? [], 'rootfs.diff_ids', MAX_LAYERS);
  return {
    ...field(doc, 'created', '', asString),
    ...field(doc, 'author', '', asString),
    architecture: asString(doc.architecture ?? '', 'architecture'),
    ...field(doc, 'variant', '', asString),
    os: asString(doc.os ?? '', 'os'),
    config: field(doc, 'config', '', parseRunConfig).config ?? {},
    rootfs: {
      type: 'layers',
      diff_ids: diffIds.map((id, i) => asDigest(id, `rootfs.diff_ids[${i}]`)),
    },
    history: field(doc, 'history', '', parseHistory).history ?? [],
    ...field(doc, 'docker_version', '', asString),
  };
}

function parseRunConfig(value: unknown, where: string): RunConfig {
  const doc = asObject(value, where);
  return {
    ...field(doc, 'User', where, asString),
    ...field(doc, 'ExposedPorts', where, asKeys),
    ...field(doc, 'Env', where, asStrings),
    ...field(doc, 'Entrypoint', where, asStrings),
    ...field(doc, 'Cmd', where, asStrings),
    ...field(doc, 'Volumes', where, asKeys),
    ...field(doc, 'WorkingDir', where, asString),
    ...field(doc, 'Labels', where, asStringMap),
    ...field(doc, 'StopSignal', where, asString),
    ...field(doc, 'StopTimeout', where, asSize),
    ...field(doc, 'Shell', where, asStrings),
    ...field(doc, 'OnBuild', where, asStrings),
    ...field(doc, 'Healthcheck', where, parseHealthcheck),
  };
}

function parseHealthcheck(value: unknown, where: string): Healthcheck {
  const doc = asObject(value, where);
  return {
    ...field(doc, 'Test', where, asStrings),
    ...field(doc, 'Interval', where, asSize),
    ...field(doc, 'Timeout', where, asSize),
    ...field(doc, 'StartPeriod', where, asSize),
    ...field(doc, 'StartInterval', where, asSize),
    ...field(doc, 'Retries', where, asSize),
  };
}

function parseHistory(value: unknown, where: string): readonly HistoryEntry[] {
  return asArray(value, where, 2 * MAX_LAYERS).map((entry, i) => parseHistoryEntry(entry, `${where}[${i}]`));
}

function parseHistoryEntry(value: unknown, where: string): HistoryEntry {
  const doc: Json = asObject(value, where);
  return {
    ...field(doc, 'created', where, asString),
    ...field(doc, 'created_by', where, asString),
    ...field(doc, 'author', where, asString),
    ...field(doc, 'comment', where, asString),
    ...(doc.empty_layer === true ? { empty_layer: true } : {}),
  };
}
