import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

/** A signal that has come when the listeners change is in libuv's pipe: neither may lose it. */
const test = suite('cli/interrupt');

const module = new URL('../../../src/cli/interrupt.ts', import.meta.url);

/** How a process ends that is told `signal`s while it armed, and then does this. */
function endOf(then: string): string | number | null {
  const script = `
    import { ProcessInterrupt } from ${JSON.stringify(module.href)};
    const interrupt = new ProcessInterrupt();
    const aborted = interrupt.arm();
    ${then}
    setTimeout(() => process.exit(aborted.aborted ? 3 : 4), 2_000);`;
  const { signal, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', script],
    {
      timeout: 30_000,
    },
  );
  return signal ?? status;
}

test('a signal that is on its way when a signal is to end us ends us', () => {
  assert.is(endOf(`process.kill(process.pid, 'SIGTERM'); interrupt.fatal();`), 'SIGTERM');
});

test('one that was told before does, too', () => {
  assert.is(
    endOf(`aborted.onabort = () => interrupt.fatal(); process.kill(process.pid, 'SIGHUP');`),
    'SIGHUP',
  );
});

test('one that comes later does, and the second one needs no first', () => {
  assert.is(endOf(`interrupt.fatal(); setTimeout(() => process.kill(process.pid, 'SIGINT'), 50);`), 'SIGINT');
});

test('while it listens a signal aborts, and does not end us', () => {
  assert.is(endOf(`process.kill(process.pid, 'SIGTERM');`), 3);
});

test.run();
