import { parentPort, workerData } from 'node:worker_threads';
import { Coverage } from './coverage.ts';
import { Chance, mutate } from './mutate.ts';
import { TARGETS, type Target } from './targets.ts';

/** What the thread is told. `shared`: count of inputs, length of the one that runs, its bytes; whoever watches reads it there. */
export interface FuzzJob {
  readonly target: string;
  readonly seconds: number;
  readonly seed: number;
  readonly corpus: readonly Uint8Array[];
  readonly shared: SharedArrayBuffer;
}

export type FuzzMessage =
  | {
      readonly type: 'done';
      readonly inputs: number;
      readonly blocks: number;
      readonly kept: readonly Uint8Array[];
    }
  | { readonly type: 'finding'; readonly input: Uint8Array; readonly problem: string };

/** Inputs between two looks at the coverage: a look costs as much as a hundred inputs. */
const BATCH = 256;
/** After so many batches, some inputs are looked at one by one, for what only counts can tell. */
const CLOSE_LOOK = 8;
const CLOSE = 32;
/** Wall clock: a busy machine stalls for a second now and then. */
const SLOW_MS = 5000;

/** Mutates inputs of the corpus and keeps those that reach something new in `src/`. */
class Fuzzer {
  readonly #job: FuzzJob;
  readonly #target: Target;
  readonly #chance: Chance;
  readonly #coverage = new Coverage();
  readonly #head: Int32Array;
  readonly #body: Uint8Array;
  #corpus: Buffer[] = [];
  #inputs = 0;

  constructor(job: FuzzJob, target: Target) {
    this.#job = job;
    this.#target = target;
    this.#chance = new Chance(job.seed);
    this.#head = new Int32Array(job.shared, 0, 2);
    this.#body = new Uint8Array(job.shared, 8);
  }

  async run(): Promise<FuzzMessage> {
    const start = [
      Buffer.alloc(0),
      ...this.#target.seeds,
      ...this.#job.corpus.map(bytes => Buffer.from(bytes)),
    ];
    await this.#keepFresh(start);
    const end = performance.now() + this.#job.seconds * 1000;
    for (let batch = 0; performance.now() < end; batch++) {
      const isClose = batch % CLOSE_LOOK === 0;
      const inputs = Array.from({ length: isClose ? CLOSE : BATCH }, () => this.#next());
      if (isClose) await this.#keepFresh(inputs);
      else await this.#search(inputs, await this.#novelIn(inputs));
    }
    return { type: 'done', inputs: this.#inputs, blocks: this.#coverage.size, kept: this.#corpus };
  }

  #next(): Buffer {
    const { limit = 4096, words, repair } = this.#target;
    const input = this.#chance.of(this.#corpus) ?? Buffer.alloc(0);
    const other = this.#chance.of(this.#corpus) ?? input;
    const made = mutate(input, other, words, this.#chance, limit);
    return repair && this.#chance.below(4) > 0 ? repair(made) : made;
  }

  async #novelIn(inputs: readonly Buffer[]): Promise<Set<string>> {
    this.#coverage.skip();
    for (const input of inputs) await this.#try(input);
    return this.#coverage.novel();
  }

  /** Finds the inputs that reached these blocks, by halves. */
  async #search(inputs: readonly Buffer[], wanted: Set<string>): Promise<void> {
    if (wanted.size === 0) return;
    if (inputs.length < 2) return this.#keepFresh(inputs);
    const half = inputs.slice(0, inputs.length / 2);
    const found = await this.#novelIn(half);
    await this.#search(half, found);
    await this.#search(inputs.slice(half.length), new Set([...wanted].filter(key => !found.has(key))));
  }

  async #keepFresh(inputs: readonly Buffer[]): Promise<void> {
    for (const input of inputs) {
      this.#coverage.skip();
      await this.#try(input);
      if (this.#coverage.keep() > 0) this.#corpus.push(input);
    }
  }

  async #try(input: Buffer): Promise<void> {
    this.#body.set(input.subarray(0, this.#body.length));
    Atomics.store(this.#head, 1, input.length);
    Atomics.store(this.#head, 0, ++this.#inputs);
    const start = performance.now();
    try {
      await this.#target.run(input);
    } catch (error) {
      throw new Finding(input, error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    const ms = Math.round(performance.now() - start);
    if (ms > SLOW_MS) throw new Finding(input, `it took ${ms} ms`);
  }
}

class Finding extends Error {
  readonly input: Buffer;

  constructor(input: Buffer, problem: string) {
    super(problem);
    this.input = input;
  }
}

async function main(job: FuzzJob): Promise<FuzzMessage> {
  const target = TARGETS[job.target];
  if (!target) throw new Error(`no target ${job.target}`);
  try {
    return await new Fuzzer(job, target).run();
  } catch (error) {
    if (error instanceof Finding) return { type: 'finding', input: error.input, problem: error.message };
    throw error;
  }
}

parentPort?.postMessage(await main(workerData as FuzzJob));
