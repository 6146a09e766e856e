import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseChallenges } from '../../../src/registry/challenge.ts';

const test = suite('registry/challenge');

const CASES: ReadonlyArray<readonly [string, unknown]> = [
  ['', []],
  ['Basic', [{ scheme: 'basic', params: {} }]],
  ['Basic realm="x"', [{ scheme: 'basic', params: { realm: 'x' } }]],
  [
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
    [
      {
        scheme: 'bearer',
        params: {
          realm: 'https://auth.example/token',
          service: 'registry.example',
          scope: 'repository:a/b:pull,push',
        },
      },
    ],
  ],
  [
    'bearer REALM = "a\\"b\\\\c" , service=plain',
    [{ scheme: 'bearer', params: { realm: 'a"b\\c', service: 'plain' } }],
  ],
  [
    'Basic realm="a", Bearer realm="b",error="insufficient_scope"',
    [
      { scheme: 'basic', params: { realm: 'a' } },
      { scheme: 'bearer', params: { realm: 'b', error: 'insufficient_scope' } },
    ],
  ],
  [
    'Negotiate, Bearer realm="b"',
    [
      { scheme: 'negotiate', params: {} },
      { scheme: 'bearer', params: { realm: 'b' } },
    ],
  ],
  ['realm="without scheme"', []],
  [
    'Bearer realm="never closed',
    [
      { scheme: 'bearer', params: {} },
      { scheme: 'realm', params: {} },
    ],
  ],
  ['Bearer realm="x"\u0000', [{ scheme: 'bearer', params: { realm: 'x' } }]],
];

for (const [header, expected] of CASES) {
  test(header.slice(0, 60) || '(empty)', () => assert.equal(parseChallenges(header), expected));
}

test('a hostile header ends soon', () => {
  for (const text of [
    '"'.repeat(1e6),
    `Bearer realm="${'\\'.repeat(1e6)}`,
    'a '.repeat(1e6),
    ','.repeat(1e6),
  ]) {
    const start = performance.now();
    parseChallenges(text);
    assert.ok(performance.now() - start < 200);
  }
});

test('a parameter called __proto__ is only a name', () => {
  const [challenge] = parseChallenges('Bearer __proto__="x", realm="y"');
  assert.is(challenge?.params.realm, 'y');
  assert.is(Object.getPrototypeOf(challenge?.params), Object.prototype);
});

test.run();
