import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ago, ellipsis, humanDuration, humanSize, shortId } from '../../../src/cli/format/human.ts';
import { portsText } from '../../../src/cli/format/ports.ts';
import { columns, width } from '../../../src/cli/format/table.ts';
import { parseTime } from '../../../src/cli/format/time.ts';
import { printable, printableJson, printableLine } from '../../../src/cli/printable.ts';
import { parseDuration } from '../../../src/util/duration.ts';

const test = suite('sizes, times, cells');
const [S, M, H, D] = [1000, 60_000, 3_600_000, 86_400_000];

test('sizes have three significant digits and powers of 1000', () => {
  const table: [number, string][] = [
    [0, '0B'],
    [1, '1B'],
    [999, '999B'],
    [1000, '1kB'],
    [1023, '1.02kB'],
    [7_730_000, '7.73MB'],
    [187_300_000, '187MB'],
    [1_500_000_000, '1.5GB'],
    [2e12, '2TB'],
  ];
  for (const [bytes, text] of table) assert.is(humanSize(bytes), text);
});

test("durations in docker's words", () => {
  const table: [number, string][] = [
    [0, 'Less than a second'],
    [999, 'Less than a second'],
    [1 * S, '1 second'],
    [2 * S, '2 seconds'],
    [59 * S, '59 seconds'],
    [60 * S, 'About a minute'],
    [119 * S, 'About a minute'],
    [2 * M, '2 minutes'],
    [59 * M, '59 minutes'],
    [60 * M, 'About an hour'],
    [89 * M, 'About an hour'],
    [90 * M, '2 hours'],
    [47 * H, '47 hours'],
    [48 * H, '2 days'],
    [13 * D, '13 days'],
    [14 * D, '2 weeks'],
    [59 * D, '8 weeks'],
    [60 * D, '2 months'],
    [729 * D, '24 months'],
    [730 * D, '2 years'],
  ];
  for (const [ms, text] of table) assert.is(humanDuration(ms), text, String(ms));
});

test('ago survives a clock that went back and a time that is unknown', () => {
  const now = Date.parse('2024-05-01T12:00:00Z');
  assert.is(ago('2024-05-01T11:58:00Z', now), '2 minutes ago');
  assert.is(ago('2024-05-01T13:00:00Z', now), 'Less than a second ago');
  for (const time of [undefined, '', 'yesterday', '0001-01-01T00:00:00Z']) assert.is(ago(time, now), 'N/A');
});

test('ids and ellipses', () => {
  assert.is(shortId(`sha256:${'a'.repeat(64)}`), 'aaaaaaaaaaaa');
  assert.is(ellipsis('abcdef', 4), 'abc…');
  assert.is(ellipsis('abcd', 4), 'abcd');
  assert.is(ellipsis('🙂🙂🙂', 2), '🙂…');
});

test("Go's durations", () => {
  const table: [string, number | undefined][] = [
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['.5s', 500],
    ['100ms', 100],
    ['2us', 0.002],
    ['10', undefined],
    ['', undefined],
    ['m', undefined],
    ['1d', undefined],
    ['1h-5m', undefined],
    ['1h 5m', undefined],
    ['1hx', undefined],
  ];
  for (const [text, ms] of table) assert.is(parseDuration(text), ms, text);
});

test('--since and --until', () => {
  const now = Date.parse('2024-05-01T12:00:00Z');
  const at = (text: string) => parseTime('--since', text, now);
  assert.is(at('10m'), now - 600_000);
  assert.is(at('0'), 0);
  assert.is(at('1714557600'), 1714557600_000);
  assert.is(at('1714557600.5'), 1714557600_500);
  assert.is(at('2024-05-01T10:00:00Z'), Date.parse('2024-05-01T10:00:00Z'));
  assert.is(at('2024-05-01T10:00:00.25+02:00'), Date.parse('2024-05-01T08:00:00.250Z'));
  assert.is(at('2024-05-01T10:00'), new Date(2024, 4, 1, 10).getTime());
  assert.is(at('2024-05-01'), new Date(2024, 4, 1).getTime());
  for (const bad of ['', 'yesterday', '-5m', '2024-13-01', '2024-05-01T25:00:00Z', '1e3', '10 m']) {
    assert.throws(() => at(bad), /invalid value/, bad);
  }
});

test('columns are as wide as their widest cell', () => {
  const text = columns([
    ['NAME', 'ID', 'X'],
    ['a-long-name', '1', ''],
    ['ü', '22', 'y'],
  ]);
  assert.is(text, 'NAME          ID   X\na-long-name   1    \nü             22   y\n');
  assert.is(width('日本'), 4);
  assert.is(width('e\u0301'), 1);
});

test('a cell cannot leave its line', () => {
  assert.is(columns([['a\nb\x1b[2J', 'c']]), 'a\\nb\\x1b[2J   c\n');
});

test('control characters and bidirectional marks are shown, not obeyed', () => {
  assert.is(printable('a\x1b]0;title\x07b\tc\nd'), 'a\\x1b]0;title\\x07b\tc\nd');
  assert.is(printable('\x9b31m\x7f\r'), '\\x9b31m\\x7f\\x0d');
  assert.is(printable('x\u202eevil'), 'x\\u202eevil');
  assert.is(printable('grüße 日本 🙂'), 'grüße 日本 🙂');
  assert.is(printableLine('a\tb\nc'), 'a\\tb\\nc');
});

test('no byte below a space but newline and tab gets through', () => {
  for (let code = 0; code < 0x2100; code++) {
    const shown = printable(String.fromCharCode(code));
    assert.not.match(shown, /[^\P{Cc}\n\t]/u, `U+${code.toString(16)}`);
  }
});

test('JSON stays the same value', () => {
  const value = { 'k\x9b': 'a\x1b\x7f\u202eb"\\\n', n: [1, null, true] };
  const text = printableJson(value);
  assert.equal(JSON.parse(text), value);
  assert.not.match(text, /[^\P{Cc}]|\u202e/u);
});

test('ports', () => {
  const port = (
    hostPort: number,
    containerPort: number,
    protocol: 'tcp' | 'udp' = 'tcp',
    hostIp = '0.0.0.0',
  ) => ({
    hostIp,
    hostPort,
    containerPort,
    protocol,
  });
  assert.is(portsText([]), '');
  assert.is(portsText([port(8080, 80)]), '0.0.0.0:8080->80/tcp');
  assert.is(portsText([port(8002, 82), port(8000, 80), port(8001, 81)]), '0.0.0.0:8000-8002->80-82/tcp');
  assert.is(portsText([port(80, 80), port(82, 82)]), '0.0.0.0:80->80/tcp, 0.0.0.0:82->82/tcp');
  assert.is(
    portsText([port(53, 53, 'udp'), port(80, 80, 'tcp', '::1')]),
    '[::1]:80->80/tcp, 0.0.0.0:53->53/udp',
  );
});

test.run();
