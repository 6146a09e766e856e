import { parseWhiteout, WHITEOUT_PREFIX, type Whiteout } from '../oci/whiteout.ts';
import type { ByteString } from './bytes.ts';
import { layerError } from './error.ts';

/** Where an entry goes: the directories on the way, then its own name. All empty: the root of the layer itself. */
export interface Place {
  readonly parents: readonly ByteString[];
  readonly base: ByteString;
  /** Set when the base name marks a removal instead of a file. */
  readonly whiteout: Whiteout | undefined;
}

/**
 * Splits the name of an entry. A leading slash, `.` and empty components mean nothing. `..` is refused wherever it stands:
 * no tool that packs a layer writes it (CVE-2021-29136, CVE-2026-31802 show what it is used for). So are directories
 * whose name marks a whiteout: a driver that reads such names from the disk would take them for one.
 */
export function placeOf(name: ByteString): Place {
  const parts = componentsOf(name, name);
  const base = parts.pop() ?? '';
  if (parts.some(part => part.startsWith(WHITEOUT_PREFIX))) {
    // What AUFS kept for itself: `.wh..wh.plnk/…`.
    const isBookkeeping = parts.some(part => parseWhiteout(part)?.kind === 'ignore');
    if (!isBookkeeping) throw layerError('a directory may not be named like a whiteout', name);
    return { parents: parts, base, whiteout: { kind: 'ignore' } };
  }
  return { parents: parts, base, whiteout: parseWhiteout(base) };
}

/** The components of a name inside the layer. `entry` is whose message it will be. */
export function componentsOf(name: ByteString, entry: ByteString): ByteString[] {
  const parts = name.split('/').filter(part => part !== '' && part !== '.');
  if (parts.includes('..')) throw layerError('".." in a name', entry);
  return parts;
}
