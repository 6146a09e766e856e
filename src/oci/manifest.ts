import {
  asArray,
  asDigest,
  asObject,
  asSize,
  asString,
  asStringMap,
  field,
  type Json,
  malformed,
  parseObject,
} from './guard.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  isIndexType,
  isManifestType,
  OCI_INDEX,
  OCI_MANIFEST,
} from './media-types.ts';
import type { Platform } from './platform.ts';

/** Points at a blob. `urls` and `data` of the spec are not read: content comes from the registry that was asked. */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:…`. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An OCI image manifest or docker's schema 2. */
export interface ImageManifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly config: Descriptor;
  /** Base first. */
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An OCI image index or docker's manifest list. */
export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Bytes of a manifest or index. Registries have the same limit. */
export const MAX_MANIFEST_SIZE = 4 << 20;
/** Far above what an overlay can mount, far below what would hurt. */
export const MAX_LAYERS = 4096;
const MAX_INDEX_ENTRIES = 4096;

/**
 * Parses a manifest or an index. `mediaType` is what the registry or the descriptor said it is; undefined where nobody said.
 * Throws MANIFEST. A document that can be read as both, or that contradicts its own or its sender's media type, is refused
 * (CVE-2021-41190).
 */
export function parseManifest(bytes: Uint8Array, mediaType?: string): ImageManifest | ImageIndex {
  const doc = parseObject(bytes, 'the manifest', MAX_MANIFEST_SIZE);
  checkKeys(doc);
  if (doc.schemaVersion === 1 || Object.hasOwn(doc, 'fsLayers')) {
    malformed(
      'the manifest',
      'has schema version 1, which is obsolete: push the image again with a newer tool',
    );
  }
  if (doc.schemaVersion !== 2) malformed('the manifest', 'has no schemaVersion 2');
  const isIndex = Object.hasOwn(doc, 'manifests');
  const type = settleType(doc, mediaType, isIndex);
  return isIndex ? parseIndex(doc, type) : parseImage(doc, type);
}

// Go's decoder takes `Layers` for `layers`: a document that other tools may read differently is not read at all.
const KEYS = ['schemaVersion', 'mediaType', 'config', 'layers', 'manifests', 'fsLayers'];

function checkKeys(doc: Json): void {
  for (const key of Object.keys(doc)) {
    const known = KEYS.find(name => name.toLowerCase() === key.toLowerCase());
    if (known !== undefined && known !== key)
      malformed('the manifest', `spells ${known} as ${JSON.stringify(key)}`);
  }
  const both =
    Object.hasOwn(doc, 'manifests') && (Object.hasOwn(doc, 'layers') || Object.hasOwn(doc, 'config'));
  if (both) malformed('the manifest', 'is an index and an image at once');
}

function settleType(doc: Json, given: string | undefined, isIndex: boolean): string {
  const fits = isIndex ? isIndexType : isManifestType;
  const own = field(doc, 'mediaType', '', asString).mediaType;
  const what = isIndex ? 'an index' : 'an image manifest';
  if (own !== undefined && !fits(own))
    malformed('the manifest', `says it is ${own}, but its body is ${what}`);
  if (given !== undefined && !fits(given))
    malformed('the manifest', `was sent as ${given}, but its body is ${what}`);
  if (own !== undefined && given !== undefined && own !== given) {
    malformed('the manifest', `was sent as ${given} and says it is ${own}`);
  }
  return own ?? given ?? (isIndex ? OCI_INDEX : OCI_MANIFEST);
}

function parseIndex(doc: Json, mediaType: string): ImageIndex {
  const entries = asArray(doc.manifests, 'manifests', MAX_INDEX_ENTRIES);
  return {
    kind: 'index',
    mediaType,
    manifests: entries.map((entry, i) => parseDescriptor(entry, `manifests[${i}]`)),
    ...field(doc, 'annotations', '', asStringMap),
  };
}

function parseImage(doc: Json, mediaType: string): ImageManifest {
  const layers = asArray(doc.layers, 'layers', MAX_LAYERS);
  return {
    kind: 'manifest',
    mediaType,
    config: parseDescriptor(doc.config, 'config'),
    layers: layers.map((layer, i) => parseDescriptor(layer, `layers[${i}]`)),
    ...field(doc, 'annotations', '', asStringMap),
  };
}

/** Throws MANIFEST. `where` names the field, for messages. */
export function parseDescriptor(value: unknown, where: string): Descriptor {
  const doc = asObject(value, where);
  return {
    mediaType: asString(doc.mediaType, `${where}.mediaType`),
    digest: asDigest(doc.digest, `${where}.digest`),
    size: asSize(doc.size, `${where}.size`),
    ...field(doc, 'platform', where, parseDescriptorPlatform),
    ...field(doc, 'annotations', where, asStringMap),
  };
}

function parseDescriptorPlatform(value: unknown, where: string): Platform {
  const doc = asObject(value, where);
  return {
    os: asString(doc.os ?? '', `${where}.os`),
    architecture: asString(doc.architecture ?? '', `${where}.architecture`),
    variant: field(doc, 'variant', where, asString).variant || undefined,
  };
}

/** The bytes of a manifest in the form it is stored and pushed: keys in the spec's order, no spaces. */
export function encodeManifest(manifest: Omit<ImageManifest, 'kind'>): Buffer {
  const { mediaType, config, layers, annotations } = manifest;
  const known = mediaType === DOCKER_MANIFEST ? DOCKER_MANIFEST : OCI_MANIFEST;
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: known,
      config,
      layers,
      annotations,
    }),
  );
}

/** The same for an index. */
export function encodeIndex(index: Omit<ImageIndex, 'kind'>): Buffer {
  const { mediaType, manifests, annotations } = index;
  const known = mediaType === DOCKER_LIST ? DOCKER_LIST : OCI_INDEX;
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: known,
      manifests,
      annotations,
    }),
  );
}
