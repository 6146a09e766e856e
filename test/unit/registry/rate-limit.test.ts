import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lowLimit, parseRateLimit, resetAfter } from '../../../src/registry/rate-limit.ts';

const test = suite('registry/rate-limit');

test("Docker Hub's headers, and plain numbers", () => {
  const headers = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' };
  assert.equal(parseRateLimit(headers), { remaining: 76, limit: 100, window: 21600 });
  assert.equal(parseRateLimit({ 'ratelimit-remaining': '5' }), {
    remaining: 5,
    limit: undefined,
    window: undefined,
  });
  assert.equal(parseRateLimit({ 'ratelimit-limit': '10, 10;w=1', 'ratelimit-remaining': '9' })?.limit, 10);
});

test('nonsense is nothing', () => {
  for (const value of ['', 'many', '-1', '1e9', '99999999999999', '5 apples'])
    assert.is(parseRateLimit({ 'ratelimit-remaining': value }), undefined, value);
  assert.is(parseRateLimit({ 'ratelimit-limit': '100' }), undefined);
});

test('it is said when little is left', () => {
  const low = lowLimit({ remaining: 3, limit: 100, window: 21600 }, 'docker.io');
  assert.is(
    low,
    'registry docker.io allows 3 more pulls of 100 within 6 hours; more for who is logged in, perhaps',
  );
  assert.match(
    lowLimit({ remaining: 10, limit: undefined, window: 90 }, 'x') ?? '',
    /10 more pulls within 90 seconds/,
  );
  assert.is(lowLimit({ remaining: 11, limit: 100, window: undefined }, 'x'), undefined);
  assert.is(lowLimit({ remaining: 11, limit: undefined, window: undefined }, 'x'), undefined);
});

test('when it ends, for a refusal without Retry-After', () => {
  assert.is(resetAfter(429, { 'ratelimit-reset': '30' }), 30_000);
  assert.is(resetAfter(503, { 'ratelimit-reset': '30' }), undefined);
  assert.is(resetAfter(429, { 'ratelimit-reset': 'soon' }), undefined);
  assert.is(resetAfter(429, {}), undefined);
});

test.run();
