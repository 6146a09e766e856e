import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { identityMatches, parsePolicy, requirementsFor } from '../../../src/oci/signature-policy.ts';

const test = suite('signature policy');

const policy = (json: unknown) => parsePolicy(Buffer.from(JSON.stringify(json)), 'policy.json');
const accept = [{ type: 'insecureAcceptAnything' }];
const reject = [{ type: 'reject' }];
const keyed = (more: object = {}) => [{ type: 'sigstoreSigned', keyPath: '/k.pub', ...more }];

test('the most specific scope wins', () => {
  const scopes = { 'a.b.c:5000/x/y:v1': accept, 'a.b.c:5000/x': keyed(), '*.b.c': reject, '': accept };
  const found = policy({ default: reject, transports: { docker: scopes } });
  const type = (name: string, suffix: string): string | undefined =>
    requirementsFor(found, 'docker', name, suffix)[0]?.type;
  assert.is(type('a.b.c:5000/x/y', ':v1'), 'accept');
  assert.is(type('a.b.c:5000/x/y', ':v2'), 'sigstore');
  assert.is(type('a.b.c:5000/xy', ':v1'), 'reject', 'a scope ends at a slash');
  assert.is(type('other.org/x', ':v1'), 'accept', 'the transport’s own default');
  assert.is(requirementsFor(found, 'oci-archive', '', '')[0]?.type, 'reject', 'the default of all');
});

for (const [title, json, problem] of [
  ['no default', {}, /default is not an array/],
  ['an empty list', { default: [] }, /default is empty/],
  ['no key', { default: [{ type: 'sigstoreSigned' }] }, /default\[0\] has neither keyPath nor keyData/],
  [
    'an identity that is not known',
    { default: keyed({ signedIdentity: { type: 'x' } }) },
    /signedIdentity.type "x"/,
  ],
  ['a number for a path', { default: [{ type: 'sigstoreSigned', keyPath: 1 }] }, /keyPath is not a string/],
] as const) {
  test(`refused with the place: ${title}`, () => {
    assert.throws(() => policy(json), problem);
  });
}

test('what cannot be verified is met by nothing', () => {
  for (const requirement of [
    { type: 'signedBy', keyPath: '/k' },
    { type: 'sigstoreBaseLayer' },
    keyed({ rekorPublicKeyPath: '/r' })[0],
    keyed({ fulcio: {} })[0],
  ])
    assert.is(policy({ default: [requirement] }).default[0]?.type, 'unsupported');
});

test('identities', () => {
  const wanted = { name: 'r.io:5000/a/b', suffix: ':v1' };
  const byDigest = { ...wanted, suffix: '@sha256:00' };
  const cases: [Parameters<typeof identityMatches>[0], string, typeof wanted, boolean][] = [
    [{ type: 'matchExact' }, 'r.io:5000/a/b:v1', wanted, true],
    [{ type: 'matchExact' }, 'r.io:5000/a/b:v2', wanted, false],
    [{ type: 'matchRepository' }, 'r.io:5000/a/b', wanted, true],
    [{ type: 'matchRepository' }, 'r.io:5000/a/b:v2', wanted, true],
    [{ type: 'matchRepository' }, 'r.io:5000/a', wanted, false],
    [{ type: 'matchRepoDigestOrExact' }, 'r.io:5000/a/b', wanted, false],
    [{ type: 'matchRepoDigestOrExact' }, 'r.io:5000/a/b:v9', byDigest, true],
    [{ type: 'exactReference', text: 'x/y:1' }, 'x/y:1', wanted, true],
    [{ type: 'exactRepository', text: 'x/y' }, 'x/y:7', wanted, true],
    [{ type: 'exactRepository', text: 'x/y' }, 'x/z:7', wanted, false],
  ];
  for (const [identity, signed, asked, expected] of cases)
    assert.is(identityMatches(identity, signed, asked), expected, `${identity.type} ${signed}`);
});

test.run();
