// run as: ranges
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { note } from '../support/note.ts';
import { requires } from '../support/requires.ts';
import { type Booted, bootUml } from '../support/uml/boot.ts';

/**
 * Real limits, by a real kernel with cgroup v2, whatever the machine has: one boot of User-mode Linux, in which
 * test/support/uml/limits.mjs does what the names below say.
 */
const program = fileURLToPath(new URL('../support/uml/limits.mjs', import.meta.url));
const { CHECKS } = (await import(program)) as { CHECKS: Record<string, unknown> };
const LIMIT_MS = 570_000;

const test = requires(suite('cgroup v2 in User-mode Linux'), 'uml', 'busybox', 'subid');
let booted: Booted | undefined;

test('it boots and ends', async () => {
  booted = await bootUml(program, LIMIT_MS);
  const end = booted.lines.find(line => line.name === 'end');
  assert.ok(end, booted.console);
  note(end.note);
});

for (const name of Object.keys(CHECKS)) {
  test(name, () => {
    const line = booted?.lines.find(each => each.name === name);
    assert.ok(line, 'it was not reached');
    assert.ok(line.ok, line.note);
    if (line.note) note(`${name}: ${line.note} (${line.ms} ms)`);
  });
}

test.run();
