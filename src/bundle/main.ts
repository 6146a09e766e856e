import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { COMMON, PROGRAM } from './options.ts';
import { cliPacks } from './packs.ts';
import { writeFilters } from './seccomp.ts';

/** `npm run build:js`: everything in dist/ that is JavaScript. Run from the project's directory. */
const REQUIRE = "import{createRequire as r}from'node:module';const require=r(import.meta.url);";

async function buildLoader(): Promise<void> {
  const banner = { js: readFileSync('src/cli/boot.sh', 'utf8').trimEnd() };
  await build({ ...PROGRAM, entryPoints: ['src/cli/boot.ts'], outfile: 'dist/tsbox.cjs', banner });
  chmodSync('dist/tsbox.cjs', 0o755);
}

async function buildCli(): Promise<void> {
  const packs = await cliPacks({ external: ['koffi', 'undici'] });
  for (const [name, text] of packs) write(`dist/tsbox.${name}.cjs`, text);
}

/** The first line tells this pack from any other: the loader's code cache belongs to it. */
function write(path: string, text: string): void {
  writeFileSync(path, `// ${createHash('sha256').update(text).digest('hex')}\n${text}\n`);
}

mkdirSync('dist', { recursive: true });
await Promise.all([
  writeFilters('dist/seccomp'),
  buildLoader(),
  buildCli(),
  build({ ...PROGRAM, entryPoints: ['src/userns/main.ts'], outfile: 'dist/userns.cjs' }),
  build({
    ...COMMON,
    entryPoints: ['src/index.ts'],
    outfile: 'dist/index.js',
    format: 'esm',
    banner: { js: REQUIRE },
  }),
]);
