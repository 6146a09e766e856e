import type { ErrorCode } from '../errors.ts';
import type { ByteString } from './bytes.ts';

/**
 * What the process does that works in a container's root file system (src/userns/copy.ts). Types only. Descriptors: 0 the root
 * directory unless `root` names it, 1 lines of JSON, 4 a tar archive, in or out.
 */
interface ViewTask {
  /** Relative to the working directory. */
  readonly root?: string;
  /** Kind of the id map; in `single`, setuid bits and foreign owners are recorded instead of set. */
  readonly mode: 'ranges' | 'single' | 'keep-id' | 'root';
}

/** Says first what is there (`CopyFound`), then writes the archive. */
export interface CopyOutTask extends ViewTask {
  readonly task: 'copy-out';
  /** Absolute inside; a `/` or `/.` at its end counts. */
  readonly path: ByteString;
  readonly followLink: boolean;
}

export interface CopyInTask extends ViewTask {
  readonly task: 'copy-in';
  readonly path: ByteString;
  /** What the archive holds; absent: an archive of the user's own, which keeps its names and owners. */
  readonly source?: { readonly base: ByteString; readonly isDirectory: boolean; readonly asked?: ByteString };
  /** Keep the owners of the archive; else everything is root's. */
  readonly keepOwners: boolean;
}

export interface ExportTask extends ViewTask {
  readonly task: 'export';
  /** Mount points: of directories only the name is packed, files are left out. Absolute. */
  readonly mounts: readonly ByteString[];
}

export type CopyTask = CopyOutTask | CopyInTask | ExportTask;

/** What `copy-out` says before the archive. */
export interface CopyFound {
  readonly base: ByteString;
  readonly isDirectory: boolean;
  /** The name asked for, if a link with another one was followed. */
  readonly asked?: ByteString;
}

export interface CopyDone {
  readonly entries: number;
  /** Entries that could not be made: device nodes. */
  readonly skipped: number;
}

export type CopyReply =
  /** The first line of every task: it is in the container's root. */
  | { readonly begun: true }
  | { readonly found: CopyFound }
  | { readonly ok: CopyDone }
  | {
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly hint?: string;
        readonly exitCode?: number;
      };
    };
