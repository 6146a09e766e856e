import { basename, dirname, normalize } from 'node:path/posix';
import { TsboxError } from '../errors.ts';

/**
 * Where a copy goes, by docker's rules (docker container cp: "SRC_PATH does end with /.", …). Pure: the side that knows the
 * destination asks, inside the container for a copy in, on the host for a copy out. Paths may be text or byte strings.
 */

/** What is known of the source. */
export interface CopySource {
  /** The base name of what is copied; `.` for the content of a directory, empty for the root. */
  readonly base: string;
  readonly isDirectory: boolean;
  /** The name that was asked for, where a link with another one was followed (-L). */
  readonly asked?: string;
}

/** What is known of the destination: absolute, last link resolved, trailing `/` and `/.` kept. */
export interface CopyTarget {
  readonly path: string;
  readonly exists: boolean;
  readonly isDirectory: boolean;
}

export interface CopyPlan {
  /** The directory to extract in; must exist. */
  readonly directory: string;
  /** The archive's names begin with `from` (unless it is empty); that becomes `to`. Undefined: names stay. */
  readonly rename: { readonly from: string; readonly to: string } | undefined;
}

/** Throws USAGE with docker's words: `cannot copy directory`, `no such directory`. */
export function planCopy(source: CopySource, target: CopyTarget): CopyPlan {
  if (target.exists && target.isDirectory) return { directory: target.path, rename: asAsked(source) };
  if (target.exists && source.isDirectory) throw refused('cannot copy directory', target.path);
  if (!target.exists && !source.isDirectory && asksForDirectory(target.path)) {
    throw refused('no such directory', target.path);
  }
  const { directory, base } = splitEntry(target.path);
  const from = inArchive(source.base);
  return { directory, rename: from === base ? undefined : { from, to: base } };
}

/** Into a directory goes the name that the user typed, not that of what a link led to. */
function asAsked({ base, asked }: CopySource): CopyPlan['rename'] {
  return asked === undefined || asked === base ? undefined : { from: inArchive(base), to: asked };
}

/** The content of a directory and the root are packed without a name before theirs. */
export const inArchive = (base: string): string => (base === '.' || base === '/' ? '' : base);

/** Go's filepath.Split of a cleaned path that keeps a last `.`: `/a/b/` is `/a` and `b`, `/a/.` is `/a` and `.`. */
export function splitEntry(path: string): { directory: string; base: string } {
  const clean = cleaned(path);
  if (endsInDot(path)) return { directory: clean, base: '.' };
  return { directory: dirname(clean), base: basename(clean) || '/' };
}

/** `/a/b` for `//a/./b/`. */
export function cleaned(path: string): string {
  const normal = normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** True for `.` as the last component: the content is meant. */
export const endsInDot = (path: string): boolean => path === '.' || path.endsWith('/.');

/** True when only a directory can be meant. */
export const asksForDirectory = (path: string): boolean => path.endsWith('/') || endsInDot(path);

/** Cleaned, with the slash or dot at the end that `original` had, since they mean something. */
export function keepEnd(clean: string, original: string): string {
  if (endsInDot(original)) return clean.endsWith('/') ? `${clean}.` : `${clean}/.`;
  return original.endsWith('/') && !clean.endsWith('/') ? `${clean}/` : clean;
}

/** A path in a container: absolute, whatever the user typed, never above the root. */
export const insidePath = (path: string): string => keepEnd(cleaned(`/${path}`), path);

/** docker's message as it is, with what it is about. */
const refused = (why: string, path: string): TsboxError =>
  new TsboxError('USAGE', `${why}: ${Buffer.from(path).toString()}`, { exitCode: 1 });
