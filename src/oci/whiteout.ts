/**
 * Whiteouts in layer archives (OCI image-spec, layer.md): an empty file `.wh.NAME` removes NAME of the layers below,
 * `.wh..wh..opq` hides everything that the layers below have in its directory. Names only: on disk they are marked otherwise.
 */
export const WHITEOUT_PREFIX = '.wh.';
export const OPAQUE_NAME = '.wh..wh..opq';

export type Whiteout =
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'opaque' }
  | { readonly kind: 'ignore' };

/**
 * What the base name of an entry means; undefined for an ordinary name. Other names under `.wh..wh.` are AUFS' own
 * bookkeeping and are ignored. A whiteout of nothing, `.` or `..` is ignored too: there is nothing it may remove.
 */
export function parseWhiteout(base: string): Whiteout | undefined {
  if (!base.startsWith(WHITEOUT_PREFIX)) return undefined;
  if (base === OPAQUE_NAME) return { kind: 'opaque' };
  const name = base.slice(WHITEOUT_PREFIX.length);
  if (name.startsWith(WHITEOUT_PREFIX)) return { kind: 'ignore' };
  if (name === '' || name === '.' || name === '..' || name.includes('/')) return { kind: 'ignore' };
  return { kind: 'remove', name };
}

/** The archive name that removes `name`. */
export function whiteoutName(name: string): string {
  return WHITEOUT_PREFIX + name;
}
