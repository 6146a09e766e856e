import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { MAX_MANIFEST_SIZE, parseManifest } from '../oci/manifest.ts';
import { familiarReference, parseReference } from '../oci/reference.ts';
import type { Problem } from './check-problem.ts';
import type { Engine } from './context.ts';
import { imageStore } from './find-image.ts';

/** Is the list of images readable? If not it is made anew from the manifests that are here; names are lost. */
export async function checkIndex(engine: Engine): Promise<Problem[]> {
  const problem = await imageStore(engine)
    .damaged()
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  if (problem === undefined) return [];
  if (!(problem instanceof TsboxError && problem.code === 'STORE_CORRUPT')) throw problem;
  return [
    {
      area: 'store',
      what: 'images/index.json',
      problem: problem.message,
      remedy: 'kept as index.json.damaged; the images that are here are listed again, without names',
      mend: () => rebuildIndex(engine),
    },
  ];
}

async function rebuildIndex(engine: Engine): Promise<void> {
  const index = join(engine.paths.images, 'index.json');
  await rename(index, `${index}.damaged`);
  const images = imageStore(engine);
  for (const digest of await images.blobs.list()) {
    const bytes = await images.blobs.read(digest, MAX_MANIFEST_SIZE).catch(() => undefined);
    const manifest = bytes && asManifest(bytes);
    if (!manifest) continue;
    // One whose config is not here was only on its way.
    await images
      .add(undefined, { mediaType: manifest.mediaType, digest, size: bytes.length })
      .catch(() => undefined);
  }
}

function asManifest(bytes: Buffer) {
  try {
    const document = parseManifest(bytes);
    return document.kind === 'manifest' ? document : undefined;
  } catch {
    return undefined;
  }
}

/** Has every image its manifest and its config? */
export async function checkImages(engine: Engine): Promise<Problem[]> {
  const images = imageStore(engine);
  return (await images.damaged()).map(({ digest, names, problem }) => {
    const familiar = names.map(name => familiarReference(parseReference(name)));
    const again = familiar.length > 0 ? `: tsbox pull ${familiar.join(' ')}` : '';
    return {
      area: 'image',
      what: familiar.join(' ') || digest,
      problem,
      remedy: `taken off the list; pull or load it again${again}`,
      mend: () => images.drop(digest),
    };
  });
}
