import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileChanges } from '../../../src/engine/file-changes.ts';
import { logs } from '../../../src/engine/logs.ts';
import { LogSplitter, parseLogRecord } from '../../../src/engine/logs-line.ts';
import { tailOffset } from '../../../src/engine/logs-tail.ts';
import type { LogsOptions } from '../../../src/engine/types.ts';
import { addContainer, engineOf, rejects, tempStore } from '../../support/container-store.ts';
import { within } from '../../support/within.ts';

const log = suite('engine/logs');

const at = (second: number): string => `2026-01-02T03:04:${String(second).padStart(2, '0')}.123456789Z`;
const line = (second: number, text: string, tag = 'F', stream = 'stdout'): string =>
  `${at(second)} ${stream} ${tag} ${text}\n`;

async function withLog(text: string | Uint8Array | undefined) {
  const paths = tempStore();
  const record = await addContainer(paths, { name: 'web' }, { status: 'exited' });
  const path = join(paths.containers, record.id, 'log');
  if (text !== undefined) writeFileSync(path, text);
  const read = async (options: LogsOptions = {}, signal?: AbortSignal): Promise<string> => {
    const parts: Buffer[] = [];
    for await (const { data } of logs(engineOf(paths, signal), 'web', options)) parts.push(data);
    return Buffer.concat(parts).toString('latin1');
  };
  return { paths, path, read };
}

log('records: time, stream, pieces and ends, any bytes', () => {
  const full = parseLogRecord(Buffer.from(`${at(1)} stderr F a b  c`));
  assert.equal(full?.line, { time: at(1), stream: 'stderr', data: Buffer.from('a b  c\n') });
  assert.is(full?.full, true);
  const piece = parseLogRecord(Buffer.from(`${at(1)} stdout P abc`));
  assert.equal(piece?.line.data, Buffer.from('abc'));
  assert.equal(parseLogRecord(Buffer.from(`${at(1)} stdout F `))?.line.data, Buffer.from('\n'));
  assert.equal(parseLogRecord(Buffer.from(`${at(1)} stdout F`))?.line.data, Buffer.from('\n'));
  const bytes = Buffer.concat([Buffer.from(`${at(1)} stdout F `), Buffer.of(0, 255, 13, 32)]);
  assert.equal(parseLogRecord(bytes)?.line.data, Buffer.of(0, 255, 13, 32, 10));
});

log('what is no record is left out', () => {
  const bad = [
    '',
    ' ',
    'x',
    `${at(1)}`,
    `${at(1)} stdout`,
    `${at(1)} stdout X a`,
    `${at(1)} stdin F a`,
    'noon stdout F a',
  ];
  for (const text of bad) assert.is(parseLogRecord(Buffer.from(text)), undefined, text);
});

log('a log cut into any pieces gives the same records', () => {
  const whole = Buffer.from(line(1, 'one') + line(2, '') + line(3, 'three ', 'P') + line(4, 'é'));
  for (let cut = 1; cut < whole.length; cut++) {
    const splitter = new LogSplitter();
    const found: string[] = [];
    for (let i = 0; i < whole.length; i += cut) {
      found.push(...splitter.push(whole.subarray(i, i + cut)).map(r => String(r.line.data)));
    }
    assert.equal(found, ['one\n', '\n', 'three ', 'é\n'], `pieces of ${cut}`);
  }
});

log('the whole log, and none', async () => {
  const { read } = await withLog(line(1, 'a') + line(2, 'b', 'F', 'stderr') + line(3, 'c', 'P'));
  assert.is(await read(), 'a\nb\nc');
  assert.is(await (await withLog('')).read(), '');
  assert.is(await (await withLog(undefined)).read({ follow: true }), '', 'never started');
});

log('a torn last record, left by a machine that lost power, is left out', async () => {
  const { read } = await withLog(`${line(1, 'a')}2026-01-02T03:04:05.1234`);
  assert.is(await read(), 'a\n');
  assert.is(await read({ tail: 1 }), 'a\n');
});

log('tail counts lines, not pieces', async () => {
  const text = line(1, 'a') + line(2, 'b1', 'P') + line(2, 'b2', 'P') + line(2, 'b3') + line(3, 'c');
  const { read } = await withLog(text);
  assert.is(await read({ tail: 0 }), '');
  assert.is(await read({ tail: 1 }), 'c\n');
  assert.is(await read({ tail: 2 }), 'b1b2b3\nc\n');
  assert.is(await read({ tail: 3 }), 'a\nb1b2b3\nc\n');
  for (const tail of [4, 1000, 'all'] as const) assert.is(await read({ tail }), 'a\nb1b2b3\nc\n');
});

log('tail: a last line without its end counts', async () => {
  const { read } = await withLog(line(1, 'a') + line(2, 'b') + line(3, '$ ', 'P'));
  assert.is(await read({ tail: 1 }), '$ ');
  assert.is(await read({ tail: 2 }), 'b\n$ ');
});

log('tail from the end is what counting from the front gives, for any block and any log', async () => {
  const { path } = await withLog('');
  for (let round = 0; round < 24; round++) {
    const records = randomRecords(round);
    writeFileSync(path, records.map(r => r.text).join(''));
    const file = await open(path, 'r');
    for (const lines of [1, 2, 5, 50]) {
      for (const block of [17, 64, 4096]) {
        assert.is(
          await tailOf(file, lines, block),
          expectedOffset(records, lines),
          `${round} ${lines} ${block}`,
        );
      }
    }
    await file.close();
  }
});

log('a piece at the end of an older file belongs to a line of the newer one', async () => {
  const { path } = await withLog('');
  const records = [line(1, 'one'), line(2, 'two'), line(3, 'th', 'P')];
  writeFileSync(path, records.join(''));
  const file = await open(path, 'r');
  const size = (await file.stat()).size;
  const [first = '', second = ''] = records;
  assert.equal(await tailOffset(file, size, 1), { offset: first.length + second.length, lines: 1 });
  assert.equal(await tailOffset(file, size, 1, { goesOn: true }), { offset: first.length, lines: 1 });
  await file.close();
});

async function tailOf(file: FileHandle, lines: number, block: number): Promise<number> {
  return (await tailOffset(file, (await file.stat()).size, lines, { block })).offset;
}

interface Made {
  readonly text: string;
  readonly full: boolean;
}

/** Lines of up to four pieces and of any length, the last one perhaps without its end. */
function randomRecords(seed: number): Made[] {
  const random = (below: number): number => Math.floor(Math.random() * below);
  const records: Made[] = [];
  for (let i = 0; i < seed % 12; i++) {
    for (let piece = random(4); piece > 0; piece--)
      records.push({ text: line(i, 'p'.repeat(random(90)), 'P'), full: false });
    records.push({ text: line(i, 'f'.repeat(random(30))), full: true });
  }
  if (seed % 3 === 0) records.push({ text: line(59, 'open', 'P'), full: false });
  return records;
}

function expectedOffset(records: readonly Made[], lines: number): number {
  const starts: number[] = [];
  let [offset, begins] = [0, true];
  for (const { text, full } of records) {
    if (begins) starts.push(offset);
    begins = full;
    offset += text.length;
  }
  return starts.at(-lines) ?? 0;
}

log('since and until', async () => {
  const { read } = await withLog([1, 2, 3, 4].map(n => line(n, `l${n}`)).join(''));
  const ms = (second: number): number => Date.parse(at(second));
  assert.is(await read({ since: ms(3) }), 'l3\nl4\n');
  assert.is(await read({ until: ms(2) }), 'l1\nl2\n');
  assert.is(await read({ since: ms(2), until: ms(3) }), 'l2\nl3\n');
  assert.is(await read({ tail: 3, since: ms(4) }), 'l4\n');
  assert.is(await read({ since: ms(9) }), '');
});

log('following one that has ended reads it and ends', async () => {
  const { read } = await withLog(line(1, 'a'));
  assert.is(await within(2000, read({ follow: true })), 'a\n');
});

log('a bad tail', async () => {
  const { read } = await withLog(line(1, 'a'));
  for (const tail of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    await rejects(read({ tail }), 'USAGE', /invalid number of lines/);
  }
});

log('cancelled', async () => {
  const { read } = await withLog(line(1, 'a'));
  await rejects(read({}, AbortSignal.abort()), 'ABORTED', /cancelled/, /^$/);
});

log('a change between two waits is not lost', async () => {
  const { path } = await withLog('');
  const changes = new FileChanges(path);
  try {
    appendFileSync(path, 'x');
    await within(2000, changes.next());
    changes.notify();
    await within(2000, changes.next());
    const third = changes.next().then(() => 'woken');
    const sleep = new Promise(resolve => setTimeout(resolve, 30, 'asleep'));
    assert.is(await Promise.race([third, sleep]), 'asleep');
    appendFileSync(path, 'y');
    assert.is(await within(2000, third), 'woken');
  } finally {
    changes.close();
  }
});

log('in a directory only the name that was asked for counts', async () => {
  const { path } = await withLog('');
  const directory = join(path, '..');
  const changes = new FileChanges(directory, 'state.json');
  try {
    appendFileSync(path, 'x');
    const next = changes.next().then(() => 'woken');
    const sleep = new Promise(resolve => setTimeout(resolve, 30, 'asleep'));
    assert.is(await Promise.race([next, sleep]), 'asleep');
    writeFileSync(join(directory, 'state.tmp'), 'x');
    renameSync(join(directory, 'state.tmp'), join(directory, 'state.json'));
    assert.is(await within(2000, next), 'woken');
  } finally {
    changes.close();
  }
});

log.run();
