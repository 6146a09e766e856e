import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { encode, readCorpus } from './corpus.ts';
import { TARGETS } from './targets.ts';
import type { FuzzJob, FuzzMessage } from './worker.ts';

export interface FuzzResult {
  readonly inputs: number;
  /** Blocks of `src/` that were reached, each with the magnitudes of how often. */
  readonly blocks: number;
  /** The corpus, with what was found. */
  readonly kept: readonly Buffer[];
}

const HANG_MS = 20_000;
const HEAP_MIB = 512;
/** Node 20 does not pass loaders on to threads: this one brings its own. */
const START = `
  const { register } = require(${JSON.stringify(fileURLToPath(import.meta.resolve('tsx/esm/api')))});
  register();
  import(${JSON.stringify(new URL('./worker.ts', import.meta.url).href)});
`;

/** Fuzzes one target on a thread. Throws with the input when the parser breaks, hangs or eats the memory. */
export async function fuzz(name: string, seconds: number, seed: number): Promise<FuzzResult> {
  const shared = new SharedArrayBuffer(8 + (TARGETS[name]?.limit ?? 4096));
  const corpus = [...readCorpus('corpus', name), ...readCorpus('regressions', name)];
  const workerData: FuzzJob = { target: name, seconds, seed, corpus, shared };
  const limits = { resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB } };
  const worker = new Worker(START, { eval: true, workerData, ...limits });
  const watch = watchdog(shared);
  try {
    const message = await Promise.race([answerOf(worker), watch.hang]);
    if (message.type === 'done') return { ...message, kept: message.kept.map(bytes => Buffer.from(bytes)) };
    throw finding(name, seed, message.input, message.problem);
  } catch (error) {
    // Out of memory, or stuck: what ran last is in the shared memory.
    if (error instanceof FuzzFinding) throw error;
    throw finding(name, seed, watch.input(), String(error));
  } finally {
    watch.stop();
    await worker.terminate();
  }
}

class FuzzFinding extends Error {}

function finding(name: string, seed: number, input: Uint8Array, problem: string): FuzzFinding {
  const where = `a line for test/fuzz/regressions/${name}.txt`;
  return new FuzzFinding(`${name} (seed ${seed}): ${problem}\ninput, ${where}:\n${encode(input)}`);
}

function answerOf(worker: Worker): Promise<FuzzMessage> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
    worker.once('exit', status => reject(new Error(`the thread ended with ${status}`)));
  });
}

/** Rejects when the same input runs for too long. */
function watchdog(shared: SharedArrayBuffer) {
  const head = new Int32Array(shared, 0, 2);
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    let last = -1;
    timer = setInterval(() => {
      const now = Atomics.load(head, 0);
      if (now > 0 && now === last) reject(new Error(`no end within ${HANG_MS} ms`));
      last = now;
    }, HANG_MS);
  });
  hang.catch(() => {});
  const input = (): Uint8Array => new Uint8Array(shared, 8).slice(0, Atomics.load(head, 1));
  return { hang, input, stop: () => clearInterval(timer) };
}
