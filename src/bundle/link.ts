import { type InteropType, rollup } from 'rollup';
import { type Chunk, ENTRY } from './chunks.ts';

/**
 * esbuild's chunks, those of one pack put together in one scope: a chunk of its own for each set of modules that are needed together
 * costs an object with a getter for every name that crosses its border, which is most of the work of loading a hundred of
 * them. In CommonJS; a pack is the chunk `./NAME.js`, and that of the start-up code is ENTRY.
 */
export async function link(chunks: readonly Chunk[], packs: ReadonlyMap<string, string>): Promise<Chunk[]> {
  const names = new Set([...packs.values()].map(pack => `./${pack}.js`));
  const texts = new Map(chunks.map(({ name, code }) => [name, code]));
  const bundle = await rollup({
    input: ENTRY,
    treeshake: false, // esbuild did it
    onwarn: () => {}, // circles between chunks: esbuild made them, and their order
    plugins: [
      {
        name: 'esbuild-chunks',
        resolveId: id => (texts.has(id) ? id : { id, external: true }),
        load: id => texts.get(id) ?? null,
      },
    ],
  });
  const { output } = await bundle.generate({
    format: 'cjs',
    dir: '.',
    dynamicImportInCjs: false,
    interop,
    esModule: false,
    externalLiveBindings: false,
    freeze: false,
    generatedCode: 'es2015',
    hoistTransitiveImports: false,
    minifyInternalExports: false,
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    manualChunks: id => packs.get(id),
  });
  return output.flatMap(part => {
    if (part.type !== 'chunk') return [];
    const name = `./${part.fileName}`;
    return { name, code: names.has(name) ? osLater(exportedLater(part.code)) : part.code };
  });
}

/** Hundreds of names that only other packs ask for, if they are loaded at all: the loader (src/cli/boot.ts) calls for them then. */
function exportedLater(code: string): string {
  const line = /^exports\.\w+ = [\w$]+;$/gm;
  const lines = code.match(line) ?? [];
  return `${code.replace(line, '')}\nmodule.fill = () => {${lines.join('\n')}};`;
}

/** node:os is no part of Node's snapshot, and the quickest commands use nothing of it. */
function osLater(code: string): string {
  const call = "require('node:os')";
  const line = `const node_os = ${call};`;
  if (code.includes(call) && !code.includes(line)) throw new Error(`Rollup no longer writes ${line}`);
  return code
    .replace(line, "let node_os_;\nconst node_os = () => (node_os_ ??= require('node:os'));")
    .replace(/\bnode_os\./g, 'node_os().');
}

/** Node's own modules are taken as they are; of a package, and of what is imported as a whole, `default` is what it exports. */
const interop = (id: string | null): InteropType =>
  id?.startsWith('node:') && id !== 'node:zlib' ? 'esModule' : 'default';
