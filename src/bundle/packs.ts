import { basename } from 'node:path';
import { type BuildOptions, build, type TransformOptions, transform } from 'esbuild';
import { type Chunk, chunkName, pack, packsOf, START_PACK } from './chunks.ts';
import { BESIDE, HOT, START } from './hot.ts';
import { link } from './link.ts';
import { COMMON, PROGRAM } from './options.ts';

/** clipanion as ES modules, of which only what is used comes along; as CommonJS each file is a closure that runs at every start. */
const CLIPANION = Object.fromEntries(
  ['advanced/Command', 'advanced/options/index', 'core'].map(name => [
    `clipanion/lib/${name}.js`,
    `clipanion/lib/${name}.mjs`,
  ]),
);

/** The packs of one piece each, which the quickest commands need. */
export const QUICK: readonly string[] = [START_PACK, ...Object.keys(HOT)];
const REST = 'rest';

/** The command line in packs of modules, each an expression (chunks.ts), by name: QUICK, and REST with all other modules. */
export async function cliPacks(options: BuildOptions): Promise<Map<string, string>> {
  const { outputFiles, metafile } = await build({
    ...COMMON,
    ...options,
    alias: { ...CLIPANION, typanion: 'typanion/lib/index.mjs' },
    entryPoints: ['src/cli/main.ts'],
    outdir: 'dist',
    format: 'esm',
    splitting: true,
    metafile: true,
    write: false,
  });
  const chunks = outputFiles.map(({ path, text }) => ({ name: chunkName(path), code: text }));
  const linked = await link(chunks, packsOf(metafile, START, HOT, BESIDE));
  const small = await Promise.all(linked.map(async ({ name, code }) => ({ name, code: await minify(code) })));
  return new Map([...byPack(small)].map(([name, members]) => [name, pack(members)]));
}

function byPack(chunks: readonly Chunk[]): Map<string, Chunk[]> {
  const packs = new Map<string, Chunk[]>([...QUICK, REST].map(name => [name, []]));
  for (const chunk of chunks) (packs.get(basename(chunk.name, '.js')) ?? packs.get(REST))?.push(chunk);
  return packs;
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
