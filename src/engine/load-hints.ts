import { type ImageConfig, MAX_CONFIG_SIZE, parseImageConfig } from '../oci/config.ts';
import { asArray, asObject, asString, asStrings } from '../oci/guard.ts';
import { parseManifest } from '../oci/manifest.ts';
import { blobName } from './save-members.ts';

/** The small members of an archive that have been read so far. */
export type Documents = ReadonlyMap<string, Buffer>;

/**
 * Which layer is in which member, as far as documents tell that came before it: archives of `tsbox save` and of containerd
 * begin with them. Only hints: whatever is wrong is found by who reads the documents in earnest.
 */
export function layerHints(documents: Documents): Map<string, string> {
  const hints = new Map<string, string>();
  for (const bytes of documents.values()) {
    for (const [name, diffId] of [...fromManifest(bytes, documents), ...fromDocker(bytes, documents)])
      hints.set(name, diffId);
  }
  return hints;
}

type Pairs = [name: string, diffId: string][];

function fromManifest(bytes: Buffer, documents: Documents): Pairs {
  return attempt(() => {
    const manifest = parseManifest(bytes);
    if (manifest.kind === 'index') return [];
    return pair(
      manifest.layers.map(layer => blobName(layer.digest)),
      configIn(documents, blobName(manifest.config.digest)),
    );
  });
}

function fromDocker(bytes: Buffer, documents: Documents): Pairs {
  if (documents.get('manifest.json') !== bytes) return [];
  return attempt(() =>
    asArray(JSON.parse(bytes.toString()), '', 1000).flatMap(value => {
      const item = asObject(value, '');
      return pair([...asStrings(item.Layers, '')], configIn(documents, asString(item.Config, '')));
    }),
  );
}

function configIn(documents: Documents, name: string): ImageConfig | undefined {
  const bytes = documents.get(name);
  return bytes && bytes.length <= MAX_CONFIG_SIZE ? parseImageConfig(bytes) : undefined;
}

const pair = (names: readonly string[], config: ImageConfig | undefined): Pairs =>
  names.flatMap((name, i): Pairs => {
    const diffId = config?.rootfs.diff_ids[i];
    return diffId === undefined ? [] : [[name, diffId]];
  });

function attempt(read: () => Pairs): Pairs {
  try {
    return read();
  } catch {
    return [];
  }
}
