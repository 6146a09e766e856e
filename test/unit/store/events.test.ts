import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventsPath, oldEventsPath, parseEvent, recordEvent } from '../../../src/store/events.ts';
import { tempStore } from '../../support/container-store.ts';

const test = suite('store/events');

const event = {
  type: 'container',
  action: 'pause',
  id: 'f'.repeat(64),
  attributes: { name: 'é "x"' },
} as const;

test('what is recorded is read', () => {
  const paths = tempStore();
  recordEvent(paths, event);
  recordEvent(paths, { ...event, action: 'unpause' });
  const lines = readFileSync(eventsPath(paths), 'utf8').trimEnd().split('\n');
  assert.is(lines.length, 2);
  const { time, ...rest } = parseEvent(lines[0] ?? '') ?? { time: '' };
  assert.equal(rest, event);
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
});

test('the status of an end is an attribute', () => {
  const line =
    '{"time":"2026-01-02T03:04:05.123456789Z","action":"die","exitCode":4,"type":"container","id":"a","attributes":{"name":"x"}}';
  assert.equal(parseEvent(line)?.attributes, { name: 'x', exitCode: '4' });
});

test('what is no event is left out', () => {
  for (const line of [
    '',
    '{',
    'null',
    '[]',
    '{"time":"noon","action":"die","id":"a"}',
    '{"time":"2026-01-01T00:00:00Z"}',
  ])
    assert.is(parseEvent(line), undefined, line);
});

test('the journal is put aside when it is full, and nothing throws', () => {
  const paths = tempStore();
  writeFileSync(eventsPath(paths), `${'x'.repeat(1 << 20)}\n`);
  recordEvent(paths, event);
  assert.ok(existsSync(oldEventsPath(paths)));
  recordEvent(paths, event);
  assert.ok(statSync(eventsPath(paths)).size < 1000);
  recordEvent({ ...paths, root: '/proc/nowhere' }, event);
});

test.run();
