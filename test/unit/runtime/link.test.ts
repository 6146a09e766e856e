import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FdLink, type Link, StreamLink } from '../../../src/runtime/link.ts';
import { within } from '../../support/within.ts';

const test = suite('link');

/** A child that talks through a link on its descriptor 3, and our end of that. */
function child(script: string): { ours: Duplex; status: Promise<number | null> } {
  const link = JSON.stringify(new URL('../../../src/runtime/link.ts', import.meta.url).href);
  const text = `const { FdLink } = await import(${link}); const link = new FdLink(3); ${script}`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', text];
  const started = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  return {
    ours: started.stdio[3] as Duplex,
    status: new Promise(resolve => started.once('exit', resolve)),
  };
}

async function readAll(link: Link): Promise<string> {
  const chunks: Buffer[] = [];
  for (let chunk = await link.read(); chunk; chunk = await link.read()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('both kinds carry bytes both ways and see the end', async () => {
  const { ours, status } = child(
    `let all = ''; while (all.length < 300000) all += await link.read(); link.write(Buffer.from('got ' + all.length)); link.close();`,
  );
  const link = new StreamLink(ours);
  link.write(Buffer.alloc(300_000, 'x'));
  assert.is(await within(20_000, readAll(link)), 'got 300000');
  link.close();
  assert.is(await within(20_000, status), 0);
});

test('a closed link reads as ended and swallows what is written', async () => {
  const link = new FdLink(-1);
  assert.is(await link.read(), undefined);
  link.write(Buffer.from('x'));
  link.close();
});

test('an end that is gone: writing is no error', async () => {
  const { ours, status } = child(
    `await link.read(); for (let i = 0; i < 50; i++) link.write(Buffer.alloc(100000)); process.exit(7);`,
  );
  ours.end('go');
  ours.once('data', () => ours.destroy());
  assert.is(await within(20_000, status), 7);
});

test.run();
