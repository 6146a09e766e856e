import type { ErrorCode } from '../errors.ts';
import type { Selection } from './build-select.ts';
import type { ByteString } from './bytes.ts';
import type { PackResult } from './pack.ts';
import type { ApplyTask } from './tasks.ts';

/** What processes in the user namespace do for a build (src/userns/build-*.ts). Types only. Strings with names of files are byte strings. */
interface BuildTaskCommon {
  readonly mode: ApplyTask['mode'];
  /** Roots of the layers below, the top one first, relative to the working directory, which is the store. */
  readonly lowers: readonly string[];
  /** SOURCE_DATE_EPOCH, seconds: nothing in the layer is younger. */
  readonly epoch?: number;
}

/**
 * What a RUN has written becomes a layer without being copied. Descriptor 0 is its upper directory, 1 the archive; when the archive is whole, the directory
 * is renamed to `target`. Reply, on descriptor 4: KeptLayer.
 */
export interface KeepTask extends BuildTaskCommon {
  readonly task: 'build-keep';
  /** The upper directory, relative to the store. */
  readonly from: string;
  /** Where it goes, relative to the store; an empty directory is there. */
  readonly target: string;
  /** Nothing but taking `stubs` away: of a whole tree (vfs), or of an upper directory with marks (fuse-overlayfs), whose layer `commit` makes. */
  readonly only?: 'whole' | 'upper';
  /** Places that were mounted on during the step, without a slash in front: what was made for them goes. */
  readonly stubs: readonly ByteString[];
}

/**
 * Makes the layer of a COPY, ADD or WORKDIR in the empty directory on descriptor 0; its archive goes to descriptor 1. Descriptor 4: an AddBegun goes out, then a
 * tar archive comes in whose names are final, then KeptLayer goes out.
 */
export interface AddTask extends BuildTaskCommon {
  readonly task: 'build-add';
  /** Absolute. */
  readonly destination: ByteString;
  /** Owner of directories that have to be made. */
  readonly uid: number;
  readonly gid: number;
}

/**
 * Chooses files of a stack of layers. Descriptor 0 is the store. On descriptor 1 comes a SourceFound; on descriptor 4 a line with a `SourceGo` goes
 * in, then the archive comes out.
 */
export interface SourceTask extends BuildTaskCommon {
  readonly task: 'build-source';
  readonly selection: Selection;
}

/** Makes one layer of several in the empty directory on descriptor 0; its archive goes to descriptor 1. Reply, on descriptor 4: KeptLayer. */
export interface SquashTask extends BuildTaskCommon {
  readonly task: 'build-squash';
  /** Those of `lowers` that stay as they are. */
  readonly base: readonly string[];
}

export type BuildTask = KeepTask | AddTask | SourceTask | SquashTask;

export interface KeptLayer extends PackResult {
  /** Of the archive. */
  readonly digest: string;
  readonly length: number;
}

export interface AddBegun {
  /** The destination with its links resolved, without slashes at its ends; empty: the root. */
  readonly path: ByteString;
  readonly exists: boolean;
  readonly isDirectory: boolean;
}

/** One thing that a source named. */
export interface FoundSource {
  readonly name: ByteString;
  readonly isDirectory: boolean;
}

export interface SourceFound {
  /** Of what was chosen: names, types, modes, owners, bytes, link targets, attributes; no times. */
  readonly digest: string;
  readonly sources: readonly FoundSource[];
}

/** How the names of the archive are made. */
export interface SourceGo {
  /** As AddBegun.path. */
  readonly path: ByteString;
  /** Files go into it under their own names. */
  readonly intoDirectory: boolean;
  /** The directory is there already and keeps what it is. */
  readonly exists: boolean;
  readonly uid?: number;
  readonly gid?: number;
  /** Octal digits or symbolic, as `--chmod` has it. */
  readonly chmod?: string;
}

export type BuildReply<T> =
  | { readonly ok: T }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string } };
