import { type Profiler, Session } from 'node:inspector';

interface Block extends Profiler.CoverageRange {
  readonly url: string;
}

const keyOf = ({ url, startOffset, endOffset }: Block): string => `${url}:${startOffset}-${endOffset}`;

/** Which blocks of `src/` ran since the last look, and how often, as V8 counts them (docs/decisions/0008-a-fuzzer-of-our-own.md). */
export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Blocks seen so far, each with the magnitudes of its counts. */
  get size(): number {
    return this.#seen.size;
  }

  /** Forgets what ran since the last look. */
  skip(): void {
    this.#take();
  }

  /** The blocks that ran since the last look and never before it was told to `keep` them. */
  novel(): Set<string> {
    const keys = new Set(this.#blocks().map(keyOf));
    return new Set([...keys].filter(key => !this.#seen.has(key)));
  }

  /** Remembers what ran since the last look, also how often (to a power of two); returns how much of that is new. */
  keep(): number {
    const before = this.#seen.size;
    for (const block of this.#blocks()) {
      this.#seen.add(keyOf(block));
      this.#seen.add(`${keyOf(block)}*${Math.min(12, Math.floor(Math.log2(block.count)))}`);
    }
    return this.#seen.size - before;
  }

  #blocks(): Block[] {
    const ours = this.#take().filter(script => script.url.includes('/src/'));
    return ours.flatMap(({ url, functions }) =>
      functions.flatMap(each =>
        each.ranges.filter(({ count }) => count > 0).map(range => ({ ...range, url })),
      ),
    );
  }

  #take(): readonly Profiler.ScriptCoverage[] {
    let result: readonly Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (_error, answer) => {
      result = answer?.result ?? [];
    });
    return result;
  }
}
