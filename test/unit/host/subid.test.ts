import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hasNssSource, nameIn, parseGetsubids, parseSubids, subidsOf } from '../../../src/host/subid.ts';

const test = suite('host/subid');
const alice = { name: 'alice', uid: 1000 };

test('entries by name and by number, several of them, in order', () => {
  const text =
    '# comment\nbob:1:2\nalice:100000:65536\n1000:300000:10\n10001:5:5\nalice2:7:7\n alice:400000:1 \n\n';
  assert.equal(parseSubids(text, alice), [
    { start: 100000, count: 65536 },
    { start: 300000, count: 10 },
    { start: 400000, count: 1 },
  ]);
});

test('a user without a name counts by number only', () => {
  assert.equal(parseSubids('undefined:1:2\n:3:4\n1000:5:6', { uid: 1000 }), [{ start: 5, count: 6 }]);
});

const MALFORMED = [
  'alice:x:5',
  'alice:5:x',
  'alice:5',
  'alice',
  'alice::',
  'alice:-1:5',
  'alice:1e5:10',
  'alice:0x10:10',
  'alice:1:2:3',
  'alice:99999999999:1',
];
for (const line of MALFORMED) {
  test(`a malformed line is seen, not skipped: ${line}`, () => {
    const [range] = parseSubids(line, alice);
    assert.ok(range && (Number.isNaN(range.start) || Number.isNaN(range.count)));
  });
}

test('an entry of no ids gives nothing', () => {
  assert.equal(parseSubids('alice:100000:0', alice), []);
});

test('the name of a number in passwd: the first, the whole number', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:7::/:\nalso:x:1000:7::/:\n';
  assert.equal(
    [0, 1000, 100, 7].map(uid => nameIn(passwd, uid)),
    ['root', 'alice', undefined, undefined],
  );
});

test('nsswitch.conf', () => {
  assert.ok(hasNssSource('passwd: files\nsubid: sss\n'));
  assert.not(hasNssSource('subid: files'));
  assert.not(hasNssSource('#subid: sss\npasswd: sss'));
  assert.not(hasNssSource(''));
});

test('output of getsubids', () => {
  assert.equal(parseGetsubids('0: alice 100000 65536\n1: alice 300000 10\n'), [
    { start: 100000, count: 65536 },
    { start: 300000, count: 10 },
  ]);
  assert.equal(parseGetsubids('Error fetching ranges\n'), []);
});

test('files that are missing are files without entries', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tsbox-subid-'));
  try {
    const sources = { subuid: join(dir, 'u'), subgid: join(dir, 'g'), nsswitch: join(dir, 'n') };
    assert.equal(await subidsOf(alice, sources), { uid: [], gid: [] });
    writeFileSync(sources.subuid, 'alice:1:2\n');
    writeFileSync(sources.subgid, '1000:3:4\n');
    assert.equal(await subidsOf(alice, sources), {
      uid: [{ start: 1, count: 2 }],
      gid: [{ start: 3, count: 4 }],
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test.run();
