import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TsboxError } from '../../../src/errors.ts';
import {
  familiarName,
  familiarReference,
  formatReference,
  parseReference,
  repositoryOf,
} from '../../../src/oci/reference.ts';

const test = suite('oci/reference');
const D = `sha256:${'a'.repeat(64)}`;

const GOOD: ReadonlyArray<readonly [string, string, string]> = [
  ['alpine', 'docker.io/library/alpine:latest', 'alpine:latest'],
  ['alpine:3.20', 'docker.io/library/alpine:3.20', 'alpine:3.20'],
  ['library/alpine', 'docker.io/library/alpine:latest', 'alpine:latest'],
  ['docker.io/alpine', 'docker.io/library/alpine:latest', 'alpine:latest'],
  ['index.docker.io/library/alpine', 'docker.io/library/alpine:latest', 'alpine:latest'],
  ['bitnami/redis', 'docker.io/bitnami/redis:latest', 'bitnami/redis:latest'],
  ['docker.io/library/a/b', 'docker.io/library/a/b:latest', 'library/a/b:latest'],
  ['localhost/x', 'localhost/x:latest', 'localhost/x:latest'],
  ['docker.io/quay.io/x', 'docker.io/quay.io/x:latest', 'docker.io/quay.io/x:latest'],
  ['docker.io/localhost/x', 'docker.io/localhost/x:latest', 'docker.io/localhost/x:latest'],
  ['docker.io/library/quay.io/x', 'docker.io/library/quay.io/x:latest', 'library/quay.io/x:latest'],
  ['localhost:5000/x/y:1', 'localhost:5000/x/y:1', 'localhost:5000/x/y:1'],
  ['[::1]:5000/x', '[::1]:5000/x:latest', '[::1]:5000/x:latest'],
  ['127.0.0.1:5000/x', '127.0.0.1:5000/x:latest', '127.0.0.1:5000/x:latest'],
  ['ghcr.io/a/b__c/d-e.f', 'ghcr.io/a/b__c/d-e.f:latest', 'ghcr.io/a/b__c/d-e.f:latest'],
  ['Host/x', 'Host/x:latest', 'Host/x:latest'],
  [`alpine@${D}`, `docker.io/library/alpine@${D}`, `alpine@${D}`],
  [`alpine:1@${D}`, `docker.io/library/alpine:1@${D}`, `alpine:1@${D}`],
  ['a:_x.Y-1', 'docker.io/library/a:_x.Y-1', 'a:_x.Y-1'],
  ['a---b', 'docker.io/library/a---b:latest', 'a---b:latest'],
];

for (const [text, canonical, familiar] of GOOD) {
  test(`reads ${text}`, () => {
    const ref = parseReference(text);
    assert.is(formatReference(ref), canonical);
    assert.is(familiarReference(ref), familiar);
    assert.equal(parseReference(canonical), ref);
    assert.equal(parseReference(familiar), ref);
  });
}

const BAD: ReadonlyArray<readonly [string, RegExp]> = [
  ['', /empty/],
  ['Alpine', /lower case/],
  ['a b', /not a part/],
  ['alpine:', /tag after ":" is empty/],
  ['alpine:-x', /not a tag/],
  ['alpine:a b', /not a tag/],
  [`alpine:${'x'.repeat(129)}`, /longer than 128/],
  ['alpine@sha256:abc', /not a digest/],
  [`alpine@sha256:${'A'.repeat(64)}`, /not a digest/],
  [`alpine@sha512:${'a'.repeat(128)}`, /other than sha256/],
  ['alpine@sha256:../../x', /not a digest/],
  ['alpine@', /not a digest/],
  [`a@${D}@${D}`, /not a digest/],
  ['a'.repeat(64), /image id/],
  ['https://x.io/y', /not a registry host|not a part|empty/],
  ['x.io/', /empty/],
  ['x.io//y', /empty/],
  ['/alpine', /empty/],
  ['alpine/', /empty/],
  ['../x', /not a registry host/],
  ['x.io/../y', /not a part/],
  ['-x.io/y', /not a registry host/],
  ['x.io:port/y', /not a registry host/],
  ['a___b', /not a part/],
  ['a..b', /not a part/],
  ['alpine\n', /not a part/],
  ['alpine:x\n', /not a tag/],
  ['x.io\0/y', /not a registry host/],
  ['ä', /not a part/],
  [`x.io/${'a'.repeat(255)}`, /longer than 255/],
];

for (const [text, problem] of BAD) {
  test(`refuses ${JSON.stringify(text).slice(0, 40)}`, () => {
    try {
      parseReference(text);
    } catch (error) {
      assert.instance(error, TsboxError);
      assert.is((error as TsboxError).code, 'BAD_REFERENCE');
      assert.match((error as TsboxError).message, problem);
      return;
    }
    assert.unreachable('it was accepted');
  });
}

test('names the repository', () => {
  assert.is(repositoryOf(parseReference('a:1')), 'docker.io/library/a');
  assert.is(familiarName(parseReference('quay.io/a/b:1')), 'quay.io/a/b');
});

test('a terminal obeys nothing of a bad reference', () => {
  for (const text of ['a:\x9b2J', 'a\x7f', 'a@\u202e', 'x.\x85/y', `${'\x1b'.repeat(1000)}`]) {
    assert.throws(
      () => parseReference(text),
      (e: Error) => !/[\p{Cc}\u202e]/u.test(e.message),
    );
  }
});

test('a very long reference is shown cut', () => {
  assert.throws(
    () => parseReference('/'.repeat(100_000)),
    (e: Error) => e.message.length < 500,
  );
});

test.run();
