#!/bin/sh
import { join } from 'node:path';
import { refuseDebugger } from '../util/debugger.ts';
import { Modules } from './modules.ts';
import { Pack } from './pack.ts';

/**
 * `dist/tsbox.cjs`: runs the program, which lies beside it in packs of modules (src/bundle): what every command needs, what `run` and `exec`
 * and what `ps` and `images` need besides, and the rest. The file begins as a shell script (boot.sh) that executes `node -- FILE ARGS`: without the `--`, Node
 * takes an `--env-file` among our arguments for its own, loads it into this process, and ends when it is missing.
 */
refuseDebugger();

// Node reads these authorities at every start, which takes longer than all the rest of it: boot.sh keeps them for who needs them.
const { TSBOX_EXTRA_CA_CERTS: authorities } = process.env;
if (authorities !== undefined) process.env.NODE_EXTRA_CA_CERTS = authorities;
delete process.env.TSBOX_EXTRA_CA_CERTS;

/** What a verb runs is a third of it all: each of the quickest has a cache of its own. */
const KINDS = new Set(['exec', 'images', 'inspect', 'logs', 'ps', 'rm', 'run', 'start', 'stats', 'stop']);
/** These are quicker than what they do, which takes the rest of the program. */
const STORE = new Set(['build', 'commit', 'load', 'pull', 'push', 'rmi', 'save', 'tag']);
const verb = process.argv[2] ?? '';
const kind = KINDS.has(verb) ? verb : STORE.has(verb) ? 'store' : 'any';
const packOf = (name: string): Pack => new Pack(join(__dirname, `tsbox.${name}`), kind);
/** A pack of one piece each, and one with all others. */
const packs = new Map(['main', 'run', 'list', 'net', 'group'].map(name => [`./${name}.js`, packOf(name)]));
const rest = packOf('rest');
const modules = new Modules({
  directory: __dirname,
  find: name => (packs.get(name) ?? rest).find(name),
  builtin: require,
});

process.once('exit', () => {
  for (const pack of [...packs.values(), rest]) pack.saveCache(process.env.TSBOX_CODE_CACHE === 'grow');
});
modules.begin('./main.js');
