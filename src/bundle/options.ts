import type { BuildOptions } from 'esbuild';

/** What everything in dist/ is made with. */
export const COMMON: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  external: ['koffi'],
  legalComments: 'none',
  logLevel: 'warning',
};

/** For the programs: import() would bring Node's ES module loader with it, 10 ms. */
export const PROGRAM: BuildOptions = {
  ...COMMON,
  format: 'cjs',
  minifyWhitespace: true,
  minifySyntax: true,
  supported: { 'dynamic-import': false },
  logOverride: { 'empty-import-meta': 'silent' },
};
