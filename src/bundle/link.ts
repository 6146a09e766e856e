import { type InteropType, rollup } from 'rollup';
import { type Chunk, ENTRY } from './chunks.ts';

/**
 * esbuild's chunks, the hot ones put together in one scope: a chunk of its own for each set of modules that are needed together
 * costs an object with a getter for every name that crosses its border, which is most of the work of loading a hundred of
 * them. In CommonJS; the hot ones are the chunk ENTRY, which the others require.
 */
export async function link(chunks: readonly Chunk[], hot: ReadonlySet<string>): Promise<Chunk[]> {
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
    manualChunks: id => (hot.has(id) ? 'hot' : undefined),
  });
  return output.flatMap(part => {
    if (part.type !== 'chunk') return [];
    return { name: `./${part.fileName}`, code: part.isEntry ? osLater(exportedLater(part.code)) : part.code };
  });
}

/** Hundreds of names that only the rest of the program asks for, if it is loaded at all: the loader (src/cli/boot.ts) calls for them then. */
function exportedLater(code: string): string {
  const line = /^exports\.\w+ = [\w$]+;$/gm;
  const lines = code.match(line) ?? [];
  return `${code.replace(line, '')}\nmodule.fill = () => {${lines.join('\n')}};`;
}

/** node:os is no part of Node's snapshot, and the quickest commands use nothing of it. */
function osLater(code: string): string {
  const line = "const node_os = require('node:os');";
  if (!code.includes(line)) throw new Error(`Rollup no longer writes ${line}`);
  return code
    .replace(line, "let node_os_;\nconst node_os = () => (node_os_ ??= require('node:os'));")
    .replace(/\bnode_os\./g, 'node_os().');
}

/** Node's own modules are taken as they are; of a package, and of what is imported as a whole, `default` is what it exports. */
const interop = (id: string | null): InteropType =>
  id?.startsWith('node:') && id !== 'node:zlib' ? 'esModule' : 'default';
