// run as: ranges
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import { requires } from '../support/requires.ts';
import { bootUml } from '../support/uml/boot.ts';
import { umlTests } from '../support/uml/tests.ts';

/** What a group with real controllers adds to `run`; printed, not judged: `npm run bench -- cgroup` has the targets. */
const program = fileURLToPath(new URL('../support/uml/joining.mjs', import.meta.url));
const { CHECKS } = (await import(program)) as { CHECKS: Record<string, unknown> };
const LIMIT_MS = 570_000;

const test = requires(suite('joining a group in User-mode Linux'), 'long', 'uml', 'busybox', 'subid');
umlTests(test, CHECKS, () => bootUml(program, LIMIT_MS));

test.run();
