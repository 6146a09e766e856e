import type { Config } from '../host/config.ts';
import type { Paths } from '../host/paths.ts';
import type { Reporter } from '../log.ts';

/** What every use-case gets: where things are, how to speak, when to stop. Made once by `Tsbox.open`. */
export interface Engine {
  readonly paths: Paths;
  readonly config: Config;
  readonly reporter: Reporter;
  readonly signal: AbortSignal | undefined;
}
