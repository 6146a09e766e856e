import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CliContext } from '../../../src/cli/context.ts';
import { OutputClosed } from '../../../src/cli/output.ts';
import { CliReporter } from '../../../src/cli/reporter.ts';

const test = suite('cli/reporter');

const closed = {
  write: (): never => {
    throw new OutputClosed();
  },
  flush: async () => {},
};
const context = (terminal: boolean) =>
  ({
    env: {},
    globals: { debug: false },
    out: closed,
    err: closed,
    isTerminal: async () => terminal,
    terminalSize: () => ({ columns: 80, rows: 24 }),
  }) as unknown as CliContext;
const event = { id: 'layer', status: 'Downloading' };

for (const terminal of [false, true])
  test(`progress whose reader has gone: the next event says so, ${terminal ? 'bars' : 'lines'}`, async () => {
    const reporter = new CliReporter(context(terminal), { progress: 1 });
    reporter.progress(event);
    // Nobody waits for what shows the first ones, nor for the clock that draws: neither may end the process.
    await new Promise(resolve => setTimeout(resolve, 300));
    assert.throws(
      () => reporter.progress({ ...event, status: 'Extracting' }),
      (e: unknown) => e instanceof OutputClosed,
    );
    await reporter.finish().then(
      () => assert.unreachable('finish'),
      (e: unknown) => assert.instance(e, OutputClosed),
    );
  });

test.run();
