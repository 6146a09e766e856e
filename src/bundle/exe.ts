import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { PROGRAM } from './options.ts';
import { cliPacks } from './packs.ts';

/**
 * The first half of `npm run build:exe`: everything that becomes the single-file executable, in one directory. The second half is
 * `bun build --compile`, in scripts/build-exe. Arguments: architecture as Node names it, the helper, koffi's
 * packages, the directory.
 */
const [arch = '', helper = '', koffi = '', out = ''] = process.argv.slice(2);

/** koffi picks its library at run time, from a package per platform: here it is picked now, so that it can be embedded. */
const oneKoffi: Plugin = {
  name: 'one koffi',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^koffi$/ }, () => ({ path: resolve('node_modules/koffi/index.cjs') }));
    onResolve({ filter: /^@koromix\/koffi-/ }, ({ path }) => ({ path, namespace: 'koffi' }));
    onLoad({ filter: /.*/, namespace: 'koffi' }, ({ path }) => ({
      contents: path.endsWith(`linux-${arch}`)
        ? 'module.exports = globalThis.TSBOX_KOFFI()'
        : 'module.exports = {}',
    }));
  },
};

const define = { __dirname: '"/$tsbox"' };

mkdirSync(out, { recursive: true });
const program = (entry: string, outfile: string, more: BuildOptions): Promise<unknown> =>
  build({ ...PROGRAM, entryPoints: [entry], outfile: join(out, outfile), define, ...more });
await Promise.all([
  cliPacks({ external: [], define, plugins: [oneKoffi] }).then(packs => {
    for (const [name, text] of packs)
      writeFileSync(join(out, `tsbox.${name}.cjs`), `module.exports = ${text};\n`);
  }),
  program('src/userns/main.ts', 'userns.cjs', { external: [], plugins: [oneKoffi] }),
  program('src/exe/main.ts', 'main.cjs', { external: ['./*.cjs', 'bun:ffi'] }),
]);
/** Under a name that says nothing of what it is: Bun has plans of its own with a `.node`. */
const carried = { helper, koffi: join(koffi, `koffi-linux-${arch}/linux_${arch}/koffi.node`) };
const facts = Object.entries(carried).map(([name, path]) => {
  const bytes = readFileSync(path);
  copyFileSync(path, join(out, `tsbox-${name}`));
  const digest = createHash('sha256').update(bytes).digest('hex');
  return `${name}: { file: ${name}, digest: '${digest}', length: ${bytes.length} }`;
});
const imports = Object.keys(carried).map(
  name => `import ${name} from './tsbox-${name}' with { type: 'file' };`,
);
writeFileSync(
  join(out, 'entry.js'),
  `${imports.join('\n')}
globalThis.TSBOX_EMBEDDED = { ${facts.join(', ')} };
require('./main.cjs');
`,
);
