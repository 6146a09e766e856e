import { parseMounts } from './mount-options.ts';
import { signalNumber } from './signals.ts';
import type { CreateOptions } from './types.ts';
import { parseUlimits } from './ulimits.ts';

/**
 * What can be wrong with flags whatever the image is: said before a pull that would be for nothing. Costs nothing where they
 * are not given. Throws USAGE, MOUNT.
 */
export async function checkFlags(options: CreateOptions): Promise<void> {
  parseUlimits(options.ulimits ?? []);
  if (options.stopSignal !== undefined) signalNumber(options.stopSignal);
  await parseMounts(options);
  if ((options.restart ?? options.logDriver ?? options.logOptions) !== undefined) {
    const { parseLog, parseRestart } = await import('./create-life.ts');
    parseRestart(options);
    parseLog(options);
  }
  if (options.resources !== undefined) (await import('./resources.ts')).parseResources(options.resources);
  if ((options.pid ?? options.ipc ?? options.uts ?? options.oomScoreAdj) !== undefined) {
    const { checkOomScore, parseNamespaces } = await import('./create-namespaces.ts');
    parseNamespaces(options);
    checkOomScore(options.oomScoreAdj);
  }
}
