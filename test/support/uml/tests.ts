import * as assert from 'uvu/assert';
import { note } from '../note.ts';
import type { Booted } from './boot.ts';

/** One boot, and a test for each of the checks that its program does. */
export function umlTests(
  test: (name: string, body: () => void | Promise<void>) => void,
  checks: Readonly<Record<string, unknown>>,
  boot: () => Promise<Booted>,
): void {
  let booted: Booted | undefined;
  test('it boots and ends', async () => {
    booted = await boot();
    const end = booted.lines.find(line => line.name === 'end');
    assert.ok(end, booted.console);
    note(end.note);
  });
  for (const name of Object.keys(checks)) {
    test(name, () => {
      const line = booted?.lines.find(each => each.name === name);
      assert.ok(line, 'it was not reached');
      assert.ok(line.ok, line.note);
      if (line.note) note(`${name}: ${line.note} (${line.ms} ms)`);
    });
  }
}
