// run as: root
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TSBOX } from '../support/cli.ts';
import { note } from '../support/note.ts';
import { requires } from '../support/requires.ts';
import { type Booted, bootSystemd } from '../support/uml/boot.ts';

/**
 * The D-Bus path against a real systemd, a real user manager and lingering, in User-mode Linux on this machine's own files: nothing is made or
 * downloaded for it. A minute, most of it the starts of Node there.
 */
const program = fileURLToPath(new URL('../support/uml/systemd.mjs', import.meta.url));
const { CHECKS } = (await import(program)) as { CHECKS: Record<string, unknown> };
const LIMIT_MS = 570_000;

const test = requires(suite('cgroup v2 with systemd'), 'uml', 'root', 'busybox', 'systemd');
let booted: Booted | undefined;

test('it boots and ends', async () => {
  booted = await bootSystemd(TSBOX, LIMIT_MS);
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
