import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import { networkFailure, Transient } from '../../../src/registry/failure.ts';
import { DEFAULT_LIMITS, RateGuard } from '../../../src/registry/limits.ts';
import { parseRetryAfter, withRetry } from '../../../src/registry/retry.ts';
import { cleanText, shownUrl } from '../../../src/registry/text.ts';

const test = suite('registry/limits');
const limits = { ...DEFAULT_LIMITS, backoff: 1, attempts: 3 };
const passing = (): Transient => new Transient(new TsboxError('REGISTRY', 'try again'));

test('a rate is judged over a whole window of waiting', () => {
  const guard = new RateGuard({ ...limits, minRate: 1000, rateWindow: 10_000 });
  assert.ok(guard.accept(1, 9000));
  assert.not(guard.accept(1, 2000));
  assert.ok(guard.accept(1, 9000));
  assert.ok(guard.accept(12_000, 2000));
});

test('what comes without waiting is never too slow', () => {
  const guard = new RateGuard({ ...limits, minRate: 1000, rateWindow: 10 });
  for (let i = 0; i < 1000; i += 1) assert.ok(guard.accept(1, 0));
});

test('tries so often, then gives the reason', async () => {
  let tries = 0;
  const waits: number[] = [];
  try {
    await withRetry({ limits, onWait: wait => waits.push(wait.ms) }, async () => {
      tries += 1;
      throw passing();
    });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, TsboxError);
  }
  assert.is(tries, 3);
  assert.is(waits.length, 2);
});

test('progress starts the count again', async () => {
  let tries = 0;
  const result = await withRetry({ limits }, async progress => {
    tries += 1;
    if (tries > 8) return 'done';
    progress();
    throw passing();
  });
  assert.is(result, 'done');
});

test('another error is thrown at once', async () => {
  let tries = 0;
  await withRetry({ limits }, async () => {
    tries += 1;
    throw new TsboxError('DIGEST', 'x');
  }).then(
    () => assert.unreachable(),
    (error: TsboxError) => assert.is(error.code, 'DIGEST'),
  );
  assert.is(tries, 1);
});

test('an abort ends the waiting', async () => {
  const stop = new AbortController();
  const slow = { ...limits, backoff: 60_000 };
  setTimeout(() => stop.abort(), 10);
  const work = withRetry({ limits: slow, signal: stop.signal }, async () => {
    throw passing();
  });
  await work.then(
    () => assert.unreachable(),
    (error: TsboxError) => assert.is(error.code, 'ABORTED'),
  );
});

const NOW = Date.parse('2026-01-01T00:00:00Z');
const AFTER: ReadonlyArray<readonly [string | undefined, number | undefined]> = [
  [undefined, undefined],
  ['5', 5000],
  [' 0 ', 0],
  ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
  ['Thu, 01 Jan 2015 00:00:30 GMT', 0],
  ['soon', undefined],
  ['-5x', undefined],
];
for (const [text, expected] of AFTER) {
  test(`Retry-After: ${text}`, () => assert.is(parseRetryAfter(text, NOW), expected));
}

const CODES: ReadonlyArray<readonly [string, boolean, RegExp]> = [
  ['ECONNREFUSED', false, /nothing listens there/],
  ['ENOTFOUND', false, /name is unknown/],
  ['EAI_AGAIN', true, /cannot be resolved/],
  ['UND_ERR_HEADERS_TIMEOUT', true, /never answered/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', false, /certificate is not trusted/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', false, /certificate is not trusted/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', false, /plain HTTP, not HTTPS/],
  ['HPE_INVALID_CONSTANT', false, /does not speak HTTP/],
  ['EWHATEVER', false, /EWHATEVER/],
];
for (const [code, isTransient, text] of CODES) {
  test(`${code} in words`, () => {
    const deep = new Error('fetch failed', { cause: Object.assign(new Error('x'), { code }) });
    const failure = networkFailure(deep, 'reg.example');
    assert.is(failure instanceof Transient, isTransient);
    assert.match(failure.message, text);
    assert.match(failure.message, /reg\.example/);
  });
}

test('all addresses of a host refuse', () => {
  const one = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
  assert.match(networkFailure(new AggregateError([one, one]), 'h').message, /nothing listens/);
});

test('text of strangers is cleaned and cut', () => {
  assert.is(cleanText('a\u001b[31mb\r\n\tc\u202ed\u0000'), 'a [31mb c d');
  assert.is(cleanText('x'.repeat(1000)).length, 301);
});

test('a URL is shown without its secrets', () => {
  assert.is(shownUrl('https://me:pw@h.example/a?sig=secret#f'), 'https://h.example/a?…');
  assert.is(shownUrl('not a url'), '(no URL)');
});

test.run();
