import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openProgress } from '../../../src/cli/format/progress.ts';
import { barLine } from '../../../src/cli/format/progress-bar.ts';
import type { ProgressEvent } from '../../../src/log.ts';

const test = suite('progress');

/** A terminal just good enough: lines, a cursor, the sequences that the bars use. */
class Screen {
  lines: string[] = [''];
  row = 0;
  writes = 0;
  text = '';
  size = { columns: 60, rows: 10 };

  write(data: string | Uint8Array): void {
    this.writes++;
    this.text += String(data);
    const parts = String(data)
      .replaceAll('\x1b[', 'ESC')
      .match(/ESC\d*[AKJ]|\n|\r|(?:(?!ESC)[^\n\r])+/g);
    for (const part of parts ?? []) this.#take(part);
  }

  #take(part: string): void {
    const up = /^ESC(\d+)A$/.exec(part);
    if (up) this.row -= Number(up[1]);
    else if (part === '\n') {
      this.row++;
      this.lines[this.row] ??= '';
    } else if (part === 'ESCJ') this.lines.length = this.row + 1;
    else if (part !== '\r' && part !== 'ESCK') this.lines[this.row] = part;
    assert.ok(this.row >= 0, 'the cursor left the screen');
  }
}

const view = (screen: Screen, terminals = [2], env = {}) =>
  openProgress(
    {
      out: { write: () => assert.unreachable(), flush: async () => {} },
      err: { write: data => screen.write(data), flush: async () => {} },
      isTerminal: async fd => terminals.includes(fd),
      terminalSize: () => screen.size,
      env,
    },
    2,
  );
const event = (id: string, status: string, current?: number, total?: number): ProgressEvent => ({
  id,
  status,
  ...(current === undefined ? {} : { current }),
  ...(total === undefined ? {} : { total }),
});
const frame = () => new Promise(resolve => setTimeout(resolve, 90));

test('elsewhere than on a terminal: a line for each change of state', async () => {
  const screen = new Screen();
  const progress = await view(screen, []);
  for (let i = 0; i < 100; i++) progress.update(event('a', 'Downloading', i, 100));
  progress.update(event('b', 'Already exists'));
  progress.update(event('a', 'Pull complete'));
  progress.finish();
  assert.is(screen.text, 'a: Downloading\nb: Already exists\na: Pull complete\n');
});

test('a dumb terminal is none', async () => {
  const screen = new Screen();
  (await view(screen, [2], { TERM: 'dumb' })).update(event('a', 'Waiting'));
  assert.is(screen.text, 'a: Waiting\n');
});

test('bars are redrawn in place, many events in one write', async () => {
  const screen = new Screen();
  const progress = await view(screen);
  for (let i = 0; i <= 50; i++) {
    progress.update(event('aaaa', 'Downloading', i * 1000, 100_000));
    progress.update(event('bbbb', 'Waiting'));
  }
  await frame();
  assert.is(screen.writes, 1);
  assert.equal(
    screen.lines.slice(0, 3).map(line => line.trimEnd()),
    [barLine(event('aaaa', 'Downloading', 50_000, 100_000), 59), 'bbbb: Waiting', ''],
  );
  progress.update(event('bbbb', 'Pull complete'));
  await frame();
  assert.is(screen.writes, 2);
  assert.not.match(screen.text.split('\x1b[2A')[1] ?? '', /aaaa/, 'an unchanged line is not drawn again');
  progress.finish();
  assert.equal(screen.lines.slice(1), ['bbbb: Pull complete', '']);
});

test('nothing new, nothing written', async () => {
  const screen = new Screen();
  const progress = await view(screen);
  progress.update(event('a', 'Waiting'));
  await frame();
  const before = screen.writes;
  progress.update(event('a', 'Waiting'));
  await frame();
  assert.is(screen.writes, before);
  progress.finish();
});

test('more items than rows: finished ones are counted', async () => {
  const screen = new Screen();
  screen.size = { columns: 40, rows: 4 };
  const progress = await view(screen);
  for (let i = 0; i < 6; i++) progress.update(event(`id${i}`, i < 4 ? 'Pull complete' : 'Extracting'));
  await frame();
  assert.equal(screen.lines, ['4 of 6 complete', 'id4: Extracting', 'id5: Extracting', '']);
  progress.finish();
  assert.is(screen.lines.length, 7);
});

test('a warning goes above the bars', async () => {
  const screen = new Screen();
  const progress = await view(screen);
  progress.update(event('a', 'Waiting'));
  await frame();
  progress.above(() => screen.write('tsbox: warning: x\n'));
  assert.equal(screen.lines, ['tsbox: warning: x', 'a: Waiting', '']);
  progress.finish();
});

test('a narrower terminal has everything drawn again', async () => {
  const screen = new Screen();
  const progress = await view(screen);
  progress.update(event('a', 'Waiting'));
  progress.update(event('b', 'Waiting'));
  await frame();
  screen.size = { columns: 8, rows: 10 };
  progress.update(event('b', 'Extracting'));
  await frame();
  assert.equal(screen.lines, ['a: Wait', 'b: Extr', '']);
  progress.finish();
});

test('a bar is never wider than told, and shows what it knows', () => {
  assert.is(barLine(event('abc', 'Downloading', 50, 100), 40), 'abc: Downloading [=====>      ] 50B/100B');
  assert.is(barLine(event('abc', 'Downloading', 100, 100), 40), 'abc: Downloading [===========] 100B/100B');
  assert.is(barLine(event('abc', 'Downloading', 1234), 40), 'abc: Downloading 1.23kB');
  assert.is(barLine(event('abc', 'Waiting'), 40), 'abc: Waiting');
  for (let width = 1; width < 120; width++) {
    for (const current of [0, 1, 500, 999, 1000]) {
      assert.ok(barLine(event('deadbeef', 'Extracting', current, 1000), width).length <= width);
    }
  }
});

test('ids and states of a registry are shown, not obeyed', () => {
  assert.is(barLine(event('\x1b[2J', 'a\nb'), 40), '\\x1b[2J: a\\nb');
});

test.run();
