import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { ChildMessage } from './protocol.ts';

/**
 * Runs the test files named in argv, one after the other, and reports on descriptor 3. uvu only collects: with
 * UVU_DEFER set, `suite.run()` puts a function into UVU_QUEUE, and we call it. uvu's own exec() would lose the counts of a
 * suite whose `before` hook throws (its `finally` returns): here, a test that did not pass has failed.
 */
type SuiteRun = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>;
interface UvuGlobals {
  UVU_DEFER?: number;
  UVU_INDEX?: number;
  UVU_QUEUE?: SuiteRun[][];
  TSBOX_TEST_NOTE?: (text: string) => void;
  TSBOX_TEST_SKIP?: (test: string, reason: string, fixable: boolean) => void;
}
const globals = globalThis as UvuGlobals;

let current = '';
const send = (message: ChildMessage): void => {
  writeSync(3, `${JSON.stringify(message)}\n`);
};
const crash = (error: unknown): void =>
  send({ type: 'crash', file: current, text: error instanceof Error ? `${error.stack}` : String(error) });

/** Our own frames and uvu's say nothing about the test. */
const NOISE = /^\s+at .*(node_modules\/uvu\/|support\/runner\/child\.ts).*\n/gm;

async function runSuite(file: string, run: SuiteRun): Promise<void> {
  const [errors, passed, , total] = await run();
  const failed = total - passed;
  const hidden = 'a `before` hook threw; uvu hides the reason, so call what it does from a test to see it\n';
  send({
    type: 'suite',
    file,
    passed,
    failed,
    errors: errors === true ? (failed ? hidden : '') : errors.replace(NOISE, ''),
  });
}

async function runFile(file: string): Promise<void> {
  const queue: SuiteRun[] = [];
  globals.UVU_QUEUE = [queue];
  globals.UVU_INDEX = 0;
  await import(pathToFileURL(file).href);
  for (const run of queue) await runSuite(file, run);
  if (queue.length === 0 && skipped === 0)
    throw new Error('no suite was run: `.run()` is missing at the end');
}

let skipped = 0;
globals.UVU_DEFER = 1;
globals.TSBOX_TEST_SKIP = (test, reason, fixable) => {
  skipped++;
  send({ type: 'skip', file: current, test, reason, fixable });
};
globals.TSBOX_TEST_NOTE = text => send({ type: 'note', file: current, text });
// a promise that nothing will ever settle must run into the time limit, not end the process in the middle
setInterval(() => {}, 1 << 30);
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);
for (const file of process.argv.slice(2)) {
  current = file;
  skipped = 0;
  await runFile(file).catch(crash);
  send({ type: 'done', file });
}
process.exit(0);
