#!/bin/sh
import { accessSync, constants, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';

/**
 * `dist/tsbox.cjs`: runs the bundle beside it from V8's code cache. Compiling the bundle takes longer than everything
 * else that a short command does; from the cache it takes a millisecond. The cache is made when it is missing, or made for
 * another bundle or Node, by whoever may write there; nothing depends on it.
 *
 * The built file begins as a shell script that executes `node -- FILE ARGS`: without the `--`, Node takes an `--env-file`
 * among our arguments for its own, loads it into this process, and ends when it is missing.
 */
const bundle = join(__dirname, 'tsbox.main.cjs');
const cacheFile = join(__dirname, 'tsbox.main.cache');

// esbuild writes ASCII: latin1 saves the decoding.
const source = readFileSync(bundle, 'latin1');

/** V8 compares only the source's length: the digest that the build wrote into the first line tells two bundles apart. */
const identity = (): string => `${process.version} ${source.slice(0, source.indexOf('\n'))}`.padEnd(96);

function readCache(tag: string): Buffer | undefined {
  try {
    const bytes = readFileSync(cacheFile);
    return bytes.toString('latin1', 0, tag.length) === tag ? bytes.subarray(tag.length) : undefined;
  } catch {
    return undefined;
  }
}

function writeCache(tag: string, script: Script): void {
  try {
    accessSync(__dirname, constants.W_OK);
    const temporary = `${cacheFile}.${process.pid}`;
    writeFileSync(temporary, Buffer.concat([Buffer.from(tag, 'latin1'), script.createCachedData()]));
    renameSync(temporary, cacheFile);
  } catch {
    // An installation of somebody else's: it starts without a cache.
  }
}

const tag = identity();
const cachedData = readCache(tag);
const wrapped = `(function (exports, require, module, __filename, __dirname) {${source}\n})`;
const script = new Script(wrapped, { filename: bundle, ...(cachedData === undefined ? {} : { cachedData }) });
// While building, a few typical commands grow it: functions that have run are in the cache compiled.
const grow = process.env.TSBOX_CODE_CACHE === 'grow';
if (grow || cachedData === undefined || script.cachedDataRejected)
  process.once('exit', () => writeCache(tag, script));
script.runInThisContext()(exports, require, module, bundle, __dirname);
