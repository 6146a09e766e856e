import { PassThrough } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { repliesOf } from '../../../src/engine/build-replies.ts';
import { follow } from '../../../src/engine/userns-process.ts';
import type { EnterProcess } from '../../../src/runtime/enter.ts';
import { rejects } from '../../support/container-store.ts';
import { within } from '../../support/within.ts';

/** What a task in the user namespace says, when its pipe and its end are told in the least handy order. */
const test = suite('engine/build-replies');

const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const noise = (): string => 'noise';
const fails = (work: Promise<unknown>, code: string): Promise<void> => rejects(work, code, /./, /^/);

test('the process is gone between two replies, and before the second was read', async () => {
  const replies = new PassThrough();
  let end = (_: number): void => {};
  const gone = new Promise<number>(resolve => {
    end = resolve;
  });
  const reply = repliesOf({ replies, gone, noise });
  replies.write('{"ok":1}\n');
  assert.is(await reply(), 1);
  end(0);
  await tick();
  const second = reply();
  await tick();
  replies.end('{"ok":2}\n');
  assert.is(await within(1000, second), 2);
});

test('the second reply is there before anybody asks, and so is the end', async () => {
  const replies = new PassThrough();
  const reply = repliesOf({ replies, gone: Promise.resolve(0), noise });
  replies.write('{"ok":1}\n');
  assert.is(await reply(), 1);
  replies.end('{"ok":2}');
  await tick();
  await tick();
  assert.is(await reply(), 2);
  await fails(reply(), 'INTERNAL');
});

test('one that says why, one that says nothing, one that could not be started, one that was cancelled', async () => {
  const said = (text: string, gone = Promise.resolve(3), signal?: AbortSignal) => {
    const replies = new PassThrough();
    if (text) replies.end(text);
    else replies.destroy();
    return repliesOf({ replies, gone, noise, signal })();
  };
  await fails(said('{"error":{"code":"NO_SPACE","message":"full"}}\n'), 'NO_SPACE');
  await fails(said(''), 'INTERNAL');
  const never = repliesOf({
    replies: new PassThrough(),
    gone: Promise.reject(new Error('no helper')),
    noise,
  });
  assert.is(
    await within(
      1000,
      never().catch(e => (e as Error).message),
    ),
    'no helper',
  );
  await fails(said('', Promise.resolve(137), AbortSignal.abort()), 'ABORTED');
});

test('a task with one reply is gone before its reply has been read', async () => {
  const [replies, stderr] = [new PassThrough(), new PassThrough()];
  const process = { child: { stderr }, result: Promise.resolve(0) } as unknown as EnterProcess;
  const { result } = follow<number>(process, replies, 'the process');
  await tick();
  replies.write('{"ok"');
  await tick();
  stderr.end();
  replies.end(':5}\n');
  assert.is(await within(1000, result), 5);
});

test.run();
