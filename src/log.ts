/** How the library speaks: it never prints. The CLI gives a Reporter that does; the default one is silent. */
export interface Reporter {
  /** Traces of one area, shown with TSBOX_DEBUG=area. The text is a function so that a silent area costs nothing. */
  debug(area: DebugArea, text: () => string): void;
  /** Something the user should know and that does not stop the work; the same text is shown once per process. */
  warn(text: string): void;
  /** A line about a finished step (`Loaded image: x`). */
  info(text: string): void;
  /** Progress of one item of a longer task, e.g. one layer of a pull. */
  progress(event: ProgressEvent): void;
}

/** The parts of tsbox that can be traced. */
export type DebugArea = 'helper' | 'registry' | 'storage' | 'network' | 'store' | 'layer' | 'host' | 'engine';

/** How far one part of a longer task is. */
export interface ProgressEvent {
  /** Identifies the item among its siblings: a short digest for a layer. */
  id: string;
  /** Docker's words: Waiting, Downloading, Extracting, Pull complete, Already exists, Retrying. */
  status: string;
  /** Bytes. */
  current?: number;
  /** Bytes; absent when unknown. */
  total?: number;
}

/** The default: says nothing. */
export const silentReporter: Reporter = {
  debug() {},
  warn() {},
  info() {},
  progress() {},
};
