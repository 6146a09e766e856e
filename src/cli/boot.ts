#!/bin/sh
import { join } from 'node:path';
import { Pack } from './pack.ts';

/**
 * `dist/tsbox.cjs`: runs the program, which lies beside it in two packs of modules: what `run`, `exec` and `ps` need, and the
 * rest (src/bundle). The file begins as a shell script (boot.sh) that executes `node -- FILE ARGS`: without the `--`, Node
 * takes an `--env-file` among our arguments for its own, loads it into this process, and ends when it is missing.
 */
// Node reads these authorities at every start, which takes longer than all the rest of it: boot.sh keeps them for who needs them.
const { TSBOX_EXTRA_CA_CERTS: authorities } = process.env;
if (authorities !== undefined) process.env.NODE_EXTRA_CA_CERTS = authorities;
delete process.env.TSBOX_EXTRA_CA_CERTS;

/** What a verb runs is a third of it all: each of the quickest has a cache of its own. */
const KINDS = new Set(['exec', 'images', 'inspect', 'logs', 'ps', 'rm', 'run', 'start', 'stop']);
/** These are quicker than what they do, which takes the rest of the program. */
const STORE = new Set(['build', 'commit', 'load', 'pull', 'push', 'rmi', 'save', 'tag']);
const verb = process.argv[2] ?? '';
const kind = KINDS.has(verb) ? verb : STORE.has(verb) ? 'store' : 'any';
const packs = ['tsbox.main', 'tsbox.rest'].map(name => new Pack(join(__dirname, name), kind));
const modules = new Map<string, Loaded>();

interface Loaded {
  readonly exports: object;
  /** Of the piece that is loaded first: sets what the others import from it, once. */
  fill?: () => void;
}

function load(name: string): unknown {
  if (!name.startsWith('./')) return require(name);
  const known = modules.get(name);
  if (known) return filled(known);
  const module: Loaded = { exports: {} };
  modules.set(name, module);
  const body = packs[0]?.find(name) ?? packs[1]?.find(name);
  if (!body) throw new Error(`tsbox is installed incompletely: ${name} is missing; run ./install.sh again`);
  body(module.exports, load, module, __dirname);
  return module.exports;
}

function filled(module: Loaded): object {
  module.fill?.();
  delete module.fill;
  return module.exports;
}

process.once('exit', () => {
  for (const pack of packs) pack.saveCache(process.env.TSBOX_CODE_CACHE === 'grow');
});
load('./main.js');
