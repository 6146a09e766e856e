import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ops, optional } from '../../../src/plan/ops.ts';
import { encodeFrame, FrameReader, MAX_PAYLOAD, opRecord } from '../../../src/runtime/wire.ts';

const wire = suite('runtime/wire');
const text = (records: Buffer[][]): string[][] => records.map(r => r.map(String));

wire('a frame comes back as the records it was made of', () => {
  const records = [
    ['version', '1'],
    ['exec', '/bin/sh', '', 'ü\n'],
    ['seccomp', Uint8Array.of(0, 255, 0)],
  ];
  const [version, exec, seccomp] = new FrameReader().push(encodeFrame(records));
  assert.equal(version?.map(String), ['version', '1']);
  assert.equal(exec?.map(String), ['exec', '/bin/sh', '', 'ü\n']);
  assert.equal([...(seccomp?.[1] ?? [])], [0, 255, 0]);
});

wire('frames may arrive in any pieces, and several at once', () => {
  const bytes = Buffer.concat([
    encodeFrame([['a', '1'], ['b']]),
    encodeFrame([]),
    encodeFrame([['c', 'x'.repeat(5000)]]),
  ]);
  for (const size of [1, 2, 3, 7, 8, 9, 1000, bytes.length]) {
    const reader = new FrameReader();
    const got: Buffer[][] = [];
    for (let at = 0; at < bytes.length; at += size) got.push(...reader.push(bytes.subarray(at, at + size)));
    assert.equal(text(got), [['a', '1'], ['b'], ['c', 'x'.repeat(5000)]], `pieces of ${size}`);
  }
});

wire('what is no frame is refused, whichever byte is wrong', () => {
  const good = encodeFrame([['name', 'value']]);
  const cases: [string, (b: Buffer) => void][] = [
    ['magic', b => b.write('NOPE', 0)],
    ['payload larger than the limit', b => b.writeUInt32LE(MAX_PAYLOAD + 1, 4)],
    ['record beyond its frame', b => b.writeUInt32LE(1000, 8)],
    ['field beyond its record', b => b.writeUInt32LE(1000, 12)],
    ['terminator that is no NUL', b => b.writeUInt8(1, 12 + 4 + 4)],
  ];
  for (const [what, spoil] of cases) {
    const bytes = Buffer.from(good);
    spoil(bytes);
    assert.throws(
      () => new FrameReader().push(bytes),
      (e: { code: string }) => e.code === 'INTERNAL',
      what,
    );
  }
});

wire('a request that the helper would refuse for its size is refused before it is sent', () => {
  assert.throws(() => encodeFrame([['exec', 'x'.repeat(MAX_PAYLOAD)]]), /the limit is/);
});

wire('an optional operation is marked in its name', () => {
  assert.equal(opRecord(optional(ops.loopback('why'))), ['?loopback']);
  assert.equal(opRecord(ops.mkdir('/a', 0o755, 'why')), ['mkdir', '/a', '755', '0', '0']);
});

wire.run();
