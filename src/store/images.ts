import { hasErrno, TsboxError } from '../errors.ts';
import { type ImageConfig, parseImageConfig } from '../oci/config.ts';
import { isDigest } from '../oci/digest.ts';
import { type Descriptor, type ImageManifest, parseManifest } from '../oci/manifest.ts';
import { isManifestType } from '../oci/media-types.ts';
import { formatReference, parseReference, type Reference, repositoryOf } from '../oci/reference.ts';
import { readFile } from '../util/files.ts';
import { ioError } from './atomic.ts';
import { BlobStore } from './blobs.ts';
import { type Entry, IMAGE_ID, IMAGE_SIZE, ImageIndex, REF_NAME, REPO_DIGESTS } from './image-index.ts';

/** An image that is here. */
export interface ImageRecord {
  /** `sha256:…` of the config. */
  readonly id: string;
  readonly manifestDigest: string;
  /** Of the manifest. */
  readonly mediaType: string;
  readonly config: ImageConfig;
  /** Diff ids, base first. */
  readonly layers: readonly string[];
  /** The compressed layers as the manifest lists them. */
  readonly layerDescriptors: readonly Descriptor[];
  readonly configDescriptor: Descriptor;
  /** Canonical names with tag, `docker.io/library/alpine:latest`; empty for a dangling image. */
  readonly names: readonly string[];
  /** `repository@sha256:…`. */
  readonly digests: readonly string[];
  /** Bytes, unpacked where that was known when the image was added. */
  readonly size: number;
  /** RFC 3339. */
  readonly created: string;
}

/** A line of the index behind which there is no image. */
export interface DamagedImage {
  readonly digest: string;
  readonly names: readonly string[];
  readonly problem: string;
}

export interface AddOptions {
  /** Bytes of the unpacked layers. */
  readonly size?: number;
  /** `repository@sha256:…` names it also answers to (the digest of the index that the tag named). */
  readonly digests?: readonly string[];
}

const ZERO_TIME = '0001-01-01T00:00:00Z';
const ID = /^(?:sha256:)?([0-9a-f]{2,64})$/;

/** The images of an OCI layout and their names. Reading takes no lock and loads no native code: `run` waits for it. */
export class ImageStore {
  readonly blobs: BlobStore;
  readonly #index: ImageIndex;

  constructor(imagesDir: string, tmpDir: string) {
    this.blobs = new BlobStore(imagesDir, tmpDir);
    this.#index = new ImageIndex(imagesDir);
  }

  /**
   * Lists a manifest whose blobs are all here; returns the image's id. A name moves from whatever had it before. A reference
   * with a digest and no tag gives no name but an entry of `digests`. Throws MANIFEST, BAD_REFERENCE, IO.
   */
  async add(reference: string | undefined, manifest: Descriptor, extra: AddOptions = {}): Promise<string> {
    const ref = reference === undefined ? undefined : parseReference(reference);
    const { config } = await this.#manifest(manifest);
    const digests = [
      ...(extra.digests ?? []),
      ...(ref?.digest ? [`${repositoryOf(ref)}@${ref.digest}`] : []),
    ];
    const { mediaType, digest, size } = manifest;
    const bare: Entry = { mediaType, digest, size };
    await this.#bytes(config.digest);
    return this.#index.update(async before => {
      const known = before.filter(e => e.digest === digest).flatMap(digestsOf);
      const entry = annotate(bare, {
        [IMAGE_ID]: config.digest,
        [IMAGE_SIZE]: extra.size === undefined ? undefined : String(extra.size),
        [REPO_DIGESTS]: [...new Set([...known, ...digests])].join(' ') || undefined,
        [REF_NAME]: ref && nameOf(ref),
      });
      return { entries: insert(before, entry), result: config.digest };
    });
  }

  /**
   * Finds an image by name (`alpine`), name@digest, id, or the beginning of an id. Undefined when there is none. Throws
   * BAD_REFERENCE for what can be neither, or for the beginning of several ids.
   */
  async resolve(text: string): Promise<ImageRecord | undefined> {
    const entries = await this.#identified();
    const id = findId(entries, text);
    return id === undefined ? undefined : this.#record(id, entries);
  }

  /**
   * Every image once, in the order they were added. One whose blobs are missing or damaged is left out: it must not take `images`
   * away from all the others. With `strict` it throws STORE_CORRUPT or MANIFEST.
   */
  async list({ strict = false }: { strict?: boolean } = {}): Promise<ImageRecord[]> {
    const entries = await this.#identify(await this.#index.read(), strict);
    const ids = [...new Set(entries.map(idOf))].filter(id => id !== '');
    const records = await Promise.all(ids.map(id => orDamaged(this.#record(id, entries), strict)));
    return records.filter(record => record !== undefined);
  }

  /** Gives an image one more name, taking it from whatever had it. Throws NOT_FOUND. */
  async tag(id: string, reference: string): Promise<void> {
    const name = nameOf(parseReference(reference));
    if (name === undefined) {
      throw new TsboxError('BAD_REFERENCE', `cannot tag with ${reference}: a digest is not a tag`, {
        hint: 'give a name with a tag, for example app:1',
      });
    }
    await this.#index.update(async before => {
      const identified = await this.#identify(before);
      const entry = identified.find(e => idOf(e) === id);
      if (!entry) throw new TsboxError('NOT_FOUND', `no such image: ${id}`);
      return { entries: insert(identified, annotate(entry, { [REF_NAME]: name })), result: undefined };
    });
  }

  /** Takes away a name (canonical) or a `repository@digest`; true when it was there. The image stays, dangling if it was the last. */
  async untag(name: string): Promise<boolean> {
    return this.#index.update(async before => {
      const hit = before.some(e => nameIn(e) === name || digestsOf(e).includes(name));
      if (!hit) return { entries: before, result: false };
      const digestsLeft = (e: Entry) =>
        digestsOf(e)
          .filter(d => d !== name)
          .join(' ') || undefined;
      const entries = before.map(e => annotate(e, { [REPO_DIGESTS]: digestsLeft(e) }));
      return { entries: withoutName(entries, name), result: true };
    });
  }

  /** Takes away every name; the image stays, dangling. */
  async untagAll(id: string): Promise<void> {
    await this.#index.update(async before => {
      const identified = await this.#identify(before);
      const names = identified.filter(e => idOf(e) === id).flatMap(e => nameIn(e) ?? []);
      return { entries: names.reduce(withoutName, identified), result: undefined };
    });
  }

  /** The id behind a name or the beginning of an id, when all that is known of it is its line in the index. */
  async identify(text: string): Promise<string | undefined> {
    return findId(await this.#identify(await this.#index.read(), false), text);
  }

  /** Takes the image with all its names out of the index; its blobs stay for the garbage collection. True when it was there. */
  async remove(id: string): Promise<boolean> {
    return this.#index.update(async before => {
      const identified = await this.#identify(before, false);
      const entries = identified.filter(e => idOf(e) !== id);
      return { entries, result: entries.length < before.length };
    });
  }

  /** Entries whose manifest or config is missing or cannot be read, each manifest once. Throws STORE_CORRUPT for the index itself. */
  async damaged(): Promise<DamagedImage[]> {
    const entries = await this.#index.read();
    const found = new Map<string, DamagedImage>();
    for (const entry of entries.filter(e => isManifestType(e.mediaType))) {
      const names = [...(found.get(entry.digest)?.names ?? []), ...[nameIn(entry) ?? []].flat()];
      const problem = await this.#problemOf(entry);
      if (problem !== undefined) found.set(entry.digest, { digest: entry.digest, names, problem });
    }
    return [...found.values()];
  }

  async #problemOf(entry: Entry): Promise<string | undefined> {
    try {
      const { config, layers } = await this.#manifest(entry);
      const { rootfs } = parseImageConfig(await this.#bytes(config.digest));
      if (rootfs.diff_ids.length === layers.length) return undefined;
      return `its manifest has ${layers.length} layers and its config ${rootfs.diff_ids.length}`;
    } catch (error) {
      if (error instanceof TsboxError && ['STORE_CORRUPT', 'MANIFEST'].includes(error.code))
        return error.message;
      throw error;
    }
  }

  /** Takes every entry of a manifest off the list, whatever it is called. */
  async drop(digest: string): Promise<void> {
    await this.#index.update(async before => {
      return { entries: before.filter(e => e.digest !== digest), result: undefined };
    });
  }

  /** Digests of every blob that an image here needs: manifests, configs, layers. */
  async referenced(): Promise<Set<string>> {
    const used = new Set<string>();
    for (const entry of await this.#index.read()) {
      used.add(entry.digest);
      if (!isManifestType(entry.mediaType)) continue;
      const { config, layers } = await this.#manifest(entry);
      for (const { digest } of [config, ...layers]) used.add(digest);
    }
    return used;
  }

  async #identified(): Promise<Entry[]> {
    return this.#identify(await this.#index.read());
  }

  /** Entries that another tool wrote lack our annotations: their manifests tell. An index among them is no image, it has no id. */
  async #identify(entries: readonly Entry[], strict = true): Promise<Entry[]> {
    const isKnown = (e: Entry) => e.annotations?.[IMAGE_ID] !== undefined || !isManifestType(e.mediaType);
    const identify = async (e: Entry) => {
      const manifest = await orDamaged(this.#manifest(e), strict);
      return annotate(e, { [IMAGE_ID]: manifest?.config.digest });
    };
    return Promise.all(entries.map(e => (isKnown(e) ? e : identify(e))));
  }

  async #record(id: string, entries: readonly Entry[]): Promise<ImageRecord> {
    const mine = entries.filter(e => idOf(e) === id);
    const entry = mine[0] as Entry;
    const manifest = await this.#manifest(entry);
    const config = parseImageConfig(await this.#bytes(manifest.config.digest));
    const size = Number(entry.annotations?.[IMAGE_SIZE] ?? manifest.layers.reduce((n, l) => n + l.size, 0));
    return {
      id,
      manifestDigest: entry.digest,
      mediaType: entry.mediaType,
      config,
      layers: config.rootfs.diff_ids,
      layerDescriptors: manifest.layers,
      configDescriptor: manifest.config,
      names: mine.flatMap(e => nameIn(e) ?? []),
      digests: [...new Set(mine.flatMap(digestsOf))],
      size,
      created: config.created ?? ZERO_TIME,
    };
  }

  async #manifest(descriptor: Descriptor): Promise<ImageManifest> {
    const manifest = parseManifest(await this.#bytes(descriptor.digest), descriptor.mediaType);
    if (manifest.kind === 'manifest') return manifest;
    throw new TsboxError('MANIFEST', `${descriptor.digest} is an index, not an image`);
  }

  /** Not hashed again: what has its name was verified, and nobody but the user can write here. */
  async #bytes(digest: string): Promise<Buffer> {
    try {
      return await readFile(this.blobs.path(digest));
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw ioError(error, `cannot read blob ${digest}`);
      throw new TsboxError('STORE_CORRUPT', `blob ${digest} of an image is missing`, {
        cause: error,
        hint: 'tsbox system check mends the store; pull or load the image again',
      });
    }
  }
}

/** Undefined for what cannot be read as an image, unless `strict`. */
async function orDamaged<T>(work: Promise<T>, strict: boolean): Promise<T | undefined> {
  return work.catch((error: unknown) => {
    const isDamage = error instanceof TsboxError && ['STORE_CORRUPT', 'MANIFEST'].includes(error.code);
    if (strict || !isDamage) throw error;
    return undefined;
  });
}

const idOf = (entry: Entry): string => entry.annotations?.[IMAGE_ID] ?? '';
const nameIn = (entry: Entry): string | undefined => entry.annotations?.[REF_NAME];
const digestsOf = (entry: Entry): string[] =>
  entry.annotations?.[REPO_DIGESTS]?.split(' ').filter(Boolean) ?? [];

function nameOf(ref: Reference): string | undefined {
  return ref.tag === undefined ? undefined : formatReference({ ...ref, digest: undefined });
}

function annotate(entry: Entry, more: Readonly<Record<string, string | undefined>>): Entry {
  const all = Object.entries({ ...entry.annotations, ...more });
  const annotations = Object.fromEntries(
    all.filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
  return { ...entry, annotations };
}

/** With the name taken from who has it: an image without any name left stays listed once, as dangling. */
function withoutName(entries: readonly Entry[], name: string): Entry[] {
  const index = entries.findIndex(e => nameIn(e) === name);
  const entry = entries[index];
  if (!entry) return [...entries];
  const others = entries.filter((_, i) => i !== index);
  if (others.some(e => e.digest === entry.digest)) return others;
  return entries.map((e, i) => (i === index ? annotate(e, { [REF_NAME]: undefined }) : e));
}

function insert(before: readonly Entry[], entry: Entry): Entry[] {
  const name = nameIn(entry);
  const rest = name === undefined ? [...before] : withoutName(before, name);
  const same = (e: Entry) => e.digest === entry.digest;
  if (name === undefined) {
    // Known already: only what it answers to may be new.
    const digests = digestsOf(entry).join(' ') || undefined;
    if (rest.some(same)) return rest.map(e => (same(e) ? annotate(e, { [REPO_DIGESTS]: digests }) : e));
  }
  return [...rest.filter(e => !(same(e) && nameIn(e) === undefined)), entry];
}

function findId(entries: readonly Entry[], text: string): string | undefined {
  const hex = ID.exec(text)?.[1];
  if (hex?.length === 64) {
    const full = `sha256:${hex}`;
    const exact = entries.find(e => idOf(e) === full || e.digest === full);
    return exact && idOf(exact);
  }
  // A name wins over the beginning of an id, as with docker: `cafe` may be a repository.
  const named = text.startsWith('sha256:') ? undefined : findName(entries, parseReference(text));
  if (named) return idOf(named);
  if (hex === undefined) return undefined;
  const ids = new Set(entries.map(idOf).filter(id => id.startsWith(`sha256:${hex}`)));
  if (ids.size > 1)
    throw new TsboxError('BAD_REFERENCE', `${text} is the beginning of ${ids.size} image ids`);
  return [...ids][0];
}

function findName(entries: readonly Entry[], ref: Reference): Entry | undefined {
  if (ref.digest === undefined || !isDigest(ref.digest)) {
    const name = nameOf(ref);
    return entries.find(e => nameIn(e) === name);
  }
  const repository = repositoryOf(ref);
  const wanted = `${repository}@${ref.digest}`;
  const isOfRepository = (e: Entry) => nameIn(e)?.startsWith(`${repository}:`) ?? false;
  return entries.find(e => digestsOf(e).includes(wanted) || (e.digest === ref.digest && isOfRepository(e)));
}
