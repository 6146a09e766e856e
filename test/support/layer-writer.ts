import { beginLayer } from '../../src/engine/unpack.ts';
import { defaultConfig } from '../../src/host/config.ts';
import { openPaths } from '../../src/host/paths.ts';
import { silentReporter } from '../../src/log.ts';

/** A command that unpacks what comes on its stdin, says so, and never ends: for tests that kill it. */
const [root = '', runtimeDir = ''] = process.argv.slice(2);
const paths = await openPaths(defaultConfig(), { root, runtimeDir });
const engine = { config: defaultConfig(), paths, reporter: silentReporter, signal: undefined };
const sink = await beginLayer(engine, {});
for await (const chunk of process.stdin) {
  await sink.write(chunk as Buffer);
  process.stdout.write('written\n');
}
