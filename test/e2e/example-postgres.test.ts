// run as: ranges
import { createReadStream } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { collect, statusOf } from '../support/cli.ts';
import { example } from '../support/package-project.ts';
import { requires, SERVERS_ROOTFS } from '../support/requires.ts';
import { within } from '../support/within.ts';

const needs = ['userns', 'subid', 'newuidmap', 'debian-servers'] as const;
const test = requires(suite('example: a database for a test'), ...needs);

test('each gets a fork of what was prepared, and knows nothing of the other', async () => {
  const child = await example('postgres.mjs', ['debian-servers'], tsbox =>
    tsbox.import(createReadStream(SERVERS_ROOTFS), 'debian-servers'),
  );
  const [out, err] = [collect(child.stdout), collect(child.stderr)];
  assert.is(await within(120_000, statusOf(child)), 0, err() + out());
  assert.is(out(), 'one: 1000\ntwo: 0\n');
});

test.run();
