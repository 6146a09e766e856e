import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { ALL_CAPABILITIES, DEFAULT_CAPABILITIES } from '../runtime/capabilities.ts';
import { cacheName, defaultFilter } from '../runtime/seccomp.ts';

/** The filters of ordinary containers, so that no `run` compiles one: the default set of capabilities, and all of them (`exec --privileged`). */
export async function writeFilters(directory: string): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const arch of ['x64', 'arm64'])
    for (const caps of [DEFAULT_CAPABILITIES, ALL_CAPABILITIES])
      for (const rootEmulation of [false, true]) {
        const options = { arch, caps, rootEmulation };
        writeFileSync(`${directory}/${cacheName(options)}`, await defaultFilter(options));
      }
}
