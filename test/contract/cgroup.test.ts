// run as: ranges
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import { requires } from '../support/requires.ts';
import { bootUml } from '../support/uml/boot.ts';
import { umlTests } from '../support/uml/tests.ts';

/**
 * Real limits, by a real kernel with cgroup v2, whatever the machine has: one boot of User-mode Linux, in which
 * test/support/uml/limits.mjs does what the names below say.
 */
const program = fileURLToPath(new URL('../support/uml/limits.mjs', import.meta.url));
const { CHECKS } = (await import(program)) as { CHECKS: Record<string, unknown> };
const LIMIT_MS = 570_000;

const test = requires(suite('cgroup v2 in User-mode Linux'), 'uml', 'busybox', 'subid');
umlTests(test, CHECKS, () => bootUml(program, LIMIT_MS));

test.run();
