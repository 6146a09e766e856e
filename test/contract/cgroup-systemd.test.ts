// run as: root
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import { TSBOX } from '../support/cli.ts';
import { requires } from '../support/requires.ts';
import { bootSystemd } from '../support/uml/boot.ts';
import { umlTests } from '../support/uml/tests.ts';

/**
 * The D-Bus path against a real systemd, a real user manager and lingering, in User-mode Linux on this machine's own files: nothing is made or
 * downloaded for it. A minute, most of it the starts of Node there.
 */
const program = fileURLToPath(new URL('../support/uml/systemd.mjs', import.meta.url));
const { CHECKS } = (await import(program)) as { CHECKS: Record<string, unknown> };
const LIMIT_MS = 570_000;

const test = requires(suite('cgroup v2 with systemd'), 'uml', 'root', 'busybox', 'systemd');
umlTests(test, CHECKS, () => bootSystemd(TSBOX, LIMIT_MS));

test.run();
