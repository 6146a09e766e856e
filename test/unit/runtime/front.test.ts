import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { helperPath } from '../../../src/host/binaries.ts';
import { attachFront } from '../../../src/runtime/front.ts';
import { within } from '../../support/within.ts';

const test = suite('runtime/front');

/** Of a child that has ended and that libuv has not waited for. */
const isZombie = (pid: number): boolean => / Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));

test('nobody there; a signal for a front that has just ended is an error of nobody', async () => {
  const front = attachFront({
    helper: helperPath(),
    id: 'x'.repeat(64),
    socket: '/nonexistent/attach.sock',
    streams: '',
    detachKeys: new Uint8Array(),
    stdio: 'ignore',
  });
  // No event is read meanwhile: the pipe looks open.
  while (!isZombie(front.child.pid ?? 0)) {}
  front.signal(15);
  assert.equal(await within(10_000, front.ended), {
    exitCode: 125,
    detached: false,
    exited: false,
    lost: 'nobody',
  });
  front.signal(15);
  await new Promise(resolve => setImmediate(resolve));
});

test.run();
