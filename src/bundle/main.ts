import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type BuildOptions, build, type TransformOptions, transform } from 'esbuild';
import { type Chunk, chunkName, pack, packsOf, START_PACK } from './chunks.ts';
import { HOT, START } from './hot.ts';
import { link } from './link.ts';
import { writeFilters } from './seccomp.ts';

/** `npm run build:js`: everything in dist/ that is JavaScript. Run from the project's directory. */
const COMMON: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  external: ['koffi'],
  legalComments: 'none',
  logLevel: 'warning',
};
/** For the programs: import() would bring Node's ES module loader with it, 10 ms. */
const PROGRAM: BuildOptions = {
  ...COMMON,
  format: 'cjs',
  minifyWhitespace: true,
  minifySyntax: true,
  supported: { 'dynamic-import': false },
  logOverride: { 'empty-import-meta': 'silent' },
};
/** clipanion as ES modules, of which only what is used comes along; as CommonJS each file is a closure that runs at every start. */
const CLIPANION = Object.fromEntries(
  ['advanced/Command', 'advanced/options/index', 'core'].map(name => [
    `clipanion/lib/${name}.js`,
    `clipanion/lib/${name}.mjs`,
  ]),
);
const REQUIRE = "import{createRequire as r}from'node:module';const require=r(import.meta.url);";

async function buildLoader(): Promise<void> {
  const banner = { js: readFileSync('src/cli/boot.sh', 'utf8').trimEnd() };
  await build({ ...PROGRAM, entryPoints: ['src/cli/boot.ts'], outfile: 'dist/tsbox.cjs', banner });
  chmodSync('dist/tsbox.cjs', 0o755);
}

async function buildCli(): Promise<void> {
  const { outputFiles, metafile } = await build({
    ...COMMON,
    entryPoints: ['src/cli/main.ts'],
    outdir: 'dist',
    external: ['koffi', 'undici'],
    alias: { ...CLIPANION, typanion: 'typanion/lib/index.mjs' },
    format: 'esm',
    splitting: true,
    metafile: true,
    write: false,
  });
  const chunks = outputFiles.map(({ path, text }) => ({ name: chunkName(path), code: text }));
  const linked = await link(chunks, packsOf(metafile, START, HOT));
  const small = await Promise.all(linked.map(async ({ name, code }) => ({ name, code: await minify(code) })));
  const packs = new Set([START_PACK, ...Object.keys(HOT)].map(name => `./${name}.js`));
  for (const chunk of small.filter(({ name }) => packs.has(name)))
    write(`dist/tsbox.${basename(chunk.name, '.js')}.cjs`, [chunk]);
  write(
    'dist/tsbox.rest.cjs',
    small.filter(({ name }) => !packs.has(name)),
  );
}

/** The names of functions and public methods stay, for the stacks of errors; private and local ones are shortened. */
async function minify(text: string): Promise<string> {
  const { platform, target, legalComments, minifySyntax, minifyWhitespace } = PROGRAM;
  const options = {
    platform,
    target,
    legalComments,
    minifySyntax,
    minifyWhitespace,
    minifyIdentifiers: true,
  };
  return (await transform(text, options as TransformOptions)).code;
}

/** The first line tells this pack from any other: the loader's code cache belongs to it. */
function write(path: string, chunks: readonly Chunk[]): void {
  const text = pack(chunks);
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
