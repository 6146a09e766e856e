import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TsboxError } from '../errors.ts';
import { giveToStore } from '../host/owner.ts';
import { digestHex } from '../oci/digest.ts';
import type { RootfsRequest } from './driver.ts';

/** Where drivers keep what, relative to the store. */

/** The unpacked tree of a layer. Throws DIGEST for a malformed diff id. */
export const layerTree = (diffId: string): string => `layers/${digestHex(diffId)}/fs`;

export const containerDir = (request: RootfsRequest): string => `containers/${request.containerId}`;

/**
 * Lower directories, the top one first. overlayfs refuses the same one twice (ELOOP), and images do repeat layers, empty ones above all: of a layer that
 * comes twice the upper one has all that the lower one could show.
 */
export const lowerTrees = ({ layers }: Pick<RootfsRequest, 'layers'>): string[] => [
  ...new Set(layers.map(layerTree).reverse()),
];

/**
 * Makes directories inside the container's own (which exists) and gives them to the ids that are root inside. Idempotent.
 * Throws STORAGE when a layer is not there: the mount would only say ENOENT.
 */
export function makeDirectories(request: RootfsRequest, names: readonly string[]): void {
  requireLayers(request);
  const own = join(request.root, containerDir(request));
  giveToStore(request.root, own);
  for (const name of names) {
    const path = join(own, name);
    mkdirSync(path, { recursive: true });
    giveToStore(request.root, path);
  }
}

/** The root directory of the result takes the mode of the topmost layer's, as it would in a plain directory. */
export function copyRootMode(request: RootfsRequest, upper: string): void {
  const [top] = lowerTrees(request);
  const stat = top === undefined ? undefined : statSync(join(request.root, top));
  chmodSync(join(request.root, upper), stat ? stat.mode & 0o7777 : 0o755);
}

function requireLayers(request: RootfsRequest): void {
  const missing = request.layers.find(id => !existsSync(join(request.root, layerTree(id))));
  if (missing === undefined) return;
  throw new TsboxError('STORAGE', `the layer ${missing} is missing in the store ${request.root}`, {
    hint: 'pull the image again',
  });
}
