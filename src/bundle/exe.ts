import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

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
        ? 'module.exports = require("./koffi.node")'
        : 'module.exports = {}',
      resolveDir: out,
    }));
    onResolve({ filter: /koffi\.node$/ }, () => ({ path: './koffi.node', external: true }));
  },
};

mkdirSync(out, { recursive: true });
await build({
  entryPoints: ['src/exe/main.ts'],
  outfile: join(out, 'main.cjs'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  supported: { 'dynamic-import': false },
  define: { __dirname: '"/$tsbox"' },
  logLevel: 'error',
  plugins: [oneKoffi],
});
copyFileSync(helper, join(out, 'tsbox-helper'));
copyFileSync(join(koffi, `koffi-linux-${arch}/linux_${arch}/koffi.node`), join(out, 'koffi.node'));
const bytes = readFileSync(helper);
const facts = { digest: createHash('sha256').update(bytes).digest('hex'), length: bytes.length };
writeFileSync(
  join(out, 'entry.js'),
  `import helper from './tsbox-helper' with { type: 'file' };
globalThis.TSBOX_EMBEDDED = { helper, ...${JSON.stringify(facts)} };
require('./main.cjs');
`,
);
