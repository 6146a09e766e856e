import * as assert from 'node:assert/strict';
import { joinRanges, rangeProblem } from '../../src/host/id-ranges.ts';
import { parseSubids } from '../../src/host/subid.ts';
import { resolveGroups, resolveUser } from '../../src/runtime/users.ts';
import { allowed, type Target } from './target.ts';

/** Parsers of the machine's and the image's files of users. */
const lines = (...texts: string[]): Buffer[] => texts.map(text => Buffer.from(text));

/** Ranges that are said to be sound are: within 32 bits, apart from one another, without the user's own id. */
function subid(input: Buffer): void {
  const found = parseSubids(input.toString(), { name: 'me', uid: 1000 });
  if (rangeProblem(found, 1000) !== undefined) return;
  const joined = joinRanges(found);
  const sorted = [...found].sort((a, b) => a.start - b.start);
  for (const [i, { start, count }] of sorted.entries()) {
    assert.ok(Number.isSafeInteger(start) && Number.isSafeInteger(count) && start >= 0 && count > 0);
    assert.ok(start + count - 1 <= 0xffff_fffe, `${start}:${count}`);
    assert.ok(1000 < start || 1000 >= start + count, 'contains the user');
    const next = sorted[i + 1];
    assert.ok(!next || next.start >= start + count, 'overlap');
  }
  const sum = (ranges: readonly { count: number }[]): number => ranges.reduce((n, r) => n + r.count, 0);
  assert.equal(sum(joined), sum(found));
}

/** The input is `USER NUL passwd NUL group`. */
function user(input: Buffer): void {
  const [spec = '', passwd, group] = input.toString().split('\0');
  allowed(() => {
    const found = resolveUser(spec, passwd, group);
    for (const id of [found.uid, found.gid, ...found.groups])
      assert.ok(Number.isInteger(id) && id >= 0 && id < 2 ** 31, `${id}`);
    if (/^[0-9]+$/.test(spec) && passwd === undefined) assert.equal(found.uid, Number(spec));
    assert.equal(new Set(found.groups).size, found.groups.length);
  });
  allowed(() => void resolveGroups([spec], group));
}

export const HOST_TARGETS: Readonly<Record<string, Target>> = {
  subid: {
    run: subid,
    words: ['me:', '1000:', '4294967295', '4294967294', '65536', ':', '\n', '-1', '1e5', ' ', '0x', '\0'],
    seeds: lines('me:100000:65536\n1000:165536:65536\n', 'other:1:2\nme:1001:10\n#me:5:5', 'me:0:1000:7\n'),
  },
  user: {
    run: user,
    words: ['root', '\0', ':', '0', '-1', '1e3', '4294967296', '2147483647', 'x:0:0:', '\n', '#', ','],
    seeds: lines(
      'app:extra\0root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n\0extra:x:44:app,root\n',
      '1000:5',
      '00\0root:x:0:0:::\n0:x:7:7:::\n\0',
    ),
  },
};
