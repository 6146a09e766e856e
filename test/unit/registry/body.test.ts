import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Body } from '../../../src/registry/body.ts';

const test = suite('registry/body');
const MIB = 1 << 20;

/** A sender that pushes inside `resume`, as undici does, until it is paused again. */
class Sender {
  left: number;
  paused = false;
  aborted = false;
  readonly body: Body;

  constructor(chunks: number) {
    this.left = chunks;
    this.body = new Body({
      pause: () => {
        this.paused = true;
      },
      resume: () => {
        this.paused = false;
        this.run();
      },
      abort: () => {
        this.aborted = true;
      },
    });
  }

  run(): void {
    while (!this.paused && this.left > 0) {
      this.left -= 1;
      this.body.push(Buffer.alloc(MIB / 2));
    }
    if (this.left === 0) this.body.end();
  }
}

test('a sender that outruns us is paused and goes on', async () => {
  const sender = new Sender(100);
  sender.run();
  assert.ok(sender.left > 90, 'it was not paused');
  let bytes = 0;
  for await (const chunk of sender.body) bytes += chunk.length;
  assert.is(bytes, 50 * MIB);
});

test('an error comes after the bytes before it', async () => {
  const { body } = new Sender(0);
  body.push(Buffer.from('a'));
  body.end(new Error('cut'));
  assert.is(String(await body.next()), 'a');
  await body.next().then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'cut'),
  );
});

test('leaving early aborts the sender', async () => {
  const sender = new Sender(100);
  sender.run();
  for await (const _ of sender.body) break;
  assert.ok(sender.aborted);
});

test('read stops at its limit', async () => {
  const sender = new Sender(100);
  sender.run();
  const { bytes, more } = await sender.body.read(MIB + 1);
  assert.is(bytes.length, MIB + 1);
  assert.ok(more);
  assert.ok(sender.aborted);
});

test('read gives up after its deadline', async () => {
  const { body } = new Sender(1);
  await body.read(10, 20).then(
    () => assert.unreachable(),
    (error: NodeJS.ErrnoException) => assert.is(error.code, 'ETIMEDOUT'),
  );
});

test.run();
