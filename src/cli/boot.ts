#!/bin/sh
import { join } from 'node:path';
import { Pack } from './pack.ts';

/**
 * `dist/tsbox.cjs`: runs the program, which lies beside it in two packs of modules: what `run`, `exec` and `ps` need, and the
 * rest (src/bundle). The file begins as a shell script (boot.sh) that executes `node -- FILE ARGS`: without the `--`, Node
 * takes an `--env-file` among our arguments for its own, loads it into this process, and ends when it is missing.
 */
const packs = ['tsbox.main', 'tsbox.rest'].map(name => new Pack(join(__dirname, name)));
const modules = new Map<string, { exports: unknown }>();

function load(name: string): unknown {
  if (!name.startsWith('./')) return require(name);
  const known = modules.get(name);
  if (known) return known.exports;
  const module = { exports: {} };
  modules.set(name, module);
  const body = packs[0]?.find(name) ?? packs[1]?.find(name);
  if (!body) throw new Error(`tsbox is installed incompletely: ${name} is missing; run ./install.sh again`);
  body(module.exports, load, module, __dirname);
  return module.exports;
}

process.once('exit', () => {
  for (const pack of packs) pack.saveCache(process.env.TSBOX_CODE_CACHE === 'grow');
});
load('./main.js');
