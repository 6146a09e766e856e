import { PassThrough } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf, linesOf } from '../../../src/util/lines.ts';

const test = suite('util/lines');

test('one for each call, wherever the pieces end', async () => {
  const stream = new PassThrough();
  const next = linesOf(stream);
  const early = [next(), next()];
  for (const piece of ['on', 'e\ntwo\nthr', 'ee\n\nfi', 've']) stream.write(piece);
  assert.equal(await Promise.all(early), ['one', 'two']);
  assert.equal([await next(), await next()], ['three', '']);
  const last = [next(), next(), next()];
  stream.end();
  assert.equal(await Promise.all(last), ['five', undefined, undefined]);
  assert.is(await next(), undefined);
});

test('a character in two pieces', async () => {
  const stream = new PassThrough();
  const next = linesOf(stream);
  const bytes = Buffer.from('größe\n');
  stream.write(bytes.subarray(0, 3));
  stream.end(bytes.subarray(3));
  assert.equal([await next(), await next()], ['größe', undefined]);
});

test('a pipe that breaks has an end, and what came before is kept', async () => {
  const stream = new PassThrough();
  const next = linesOf(stream);
  stream.write('said\nhalf');
  assert.is(await next(), 'said');
  stream.destroy();
  assert.equal([await next(), await next()], ['half', undefined]);
});

test('all of a stream, whole or broken', async () => {
  const streams = [new PassThrough(), new PassThrough()];
  const all = streams.map(bytesOf);
  for (const stream of streams) stream.write('said ');
  streams[0]?.end('all');
  await new Promise(resolve => setImmediate(resolve));
  streams[1]?.destroy();
  assert.equal((await Promise.all(all)).map(String), ['said all', 'said ']);
});

test('no stream is an empty one', async () => {
  assert.is(await linesOf(null)(), undefined);
  assert.is((await bytesOf(null)).length, 0);
});

test.run();
