import { type Descriptor, encodeIndex } from '../oci/manifest.ts';
import { OCI_INDEX } from '../oci/media-types.ts';
import { familiarReference, parseReference } from '../oci/reference.ts';
import { REF_NAME } from '../store/image-index.ts';
import { blobName, document, type Member } from './save-members.ts';

/** One image as its blobs say it. */
export interface SavedImage {
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** Canonical. */
  readonly names: readonly string[];
}

/** Docker with containerd's store looks here for the whole name, podman and skopeo in the standard annotation. */
const CONTAINERD_NAME = 'io.containerd.image.name';

/** The documents of an OCI image layout; with `docker`, also the `manifest.json` that `docker load` reads. They come first, so that a reader of a pipe knows what follows. */
export function documents(images: readonly SavedImage[], docker: boolean): Member[] {
  const layout = document('oci-layout', { imageLayoutVersion: '1.0.0' });
  const manifests = images.flatMap(indexEntries);
  const content = encodeIndex({ mediaType: OCI_INDEX, manifests });
  const index = { name: 'index.json', size: content.length, content };
  return docker ? [layout, index, document('manifest.json', images.map(dockerItem))] : [layout, index];
}

/** An entry holds one name: an image with two has two. */
function indexEntries({ manifest, names }: SavedImage): Descriptor[] {
  const { mediaType, digest, size } = manifest;
  if (names.length === 0) return [{ mediaType, digest, size }];
  return names.map(name => ({
    mediaType,
    digest,
    size,
    annotations: { [CONTAINERD_NAME]: name, [REF_NAME]: name },
  }));
}

function dockerItem({ config, layers, names }: SavedImage): object {
  return {
    Config: blobName(config.digest),
    RepoTags: names.length === 0 ? null : names.map(name => familiarReference(parseReference(name))),
    Layers: layers.map(layer => blobName(layer.digest)),
  };
}
