/** What the process that runs test files tells the runner: one JSON object per line on descriptor 3. */
export type ChildMessage =
  | { type: 'suite'; file: string; passed: number; failed: number; errors: string }
  | { type: 'skip'; file: string; test: string; reason: string; fixable: boolean }
  | { type: 'note'; file: string; text: string }
  | { type: 'crash'; file: string; text: string }
  | { type: 'done'; file: string };

/** What stands behind the name of a file that ran against the single-file executable. */
export const SINGLE_FILE = 'single file';

export interface Skip {
  readonly test: string;
  readonly reason: string;
  /** This machine could run the test if a package were installed or a device opened. */
  readonly fixable: boolean;
}

export interface FileResult {
  readonly name: string;
  /** Printed behind the name: `ranges`, `single`, or empty, and SINGLE_FILE. */
  readonly account: string;
  passed: number;
  failed: number;
  readonly skips: Skip[];
  /** One text per failed suite, crash or leak. */
  readonly problems: string[];
  /** Measurements a file wants to be seen. */
  readonly notes: string[];
  /** Milliseconds. */
  duration: number;
  finished: boolean;
}

export const emptyResult = (name: string, account: string): FileResult => ({
  name,
  account,
  passed: 0,
  failed: 0,
  skips: [],
  problems: [],
  notes: [],
  duration: 0,
  finished: false,
});
