import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, sleeper } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { readProject } from '../support/source.ts';

/** Every file that tsbox makes is in a table of docs/state.md. */
const test = requires(suite('docs/state.md'), 'userns', 'busybox');

/** First cells of the rows below a heading: `containers/<id>/config.json`; `…` stands for anything below. */
function patterns(heading: string): RegExp[] {
  const page = readProject('docs/state.md');
  const from = page.indexOf(`\n## ${heading}`);
  assert.ok(from >= 0, `no heading "${heading}"`);
  const section = page.slice(from + 1).split(/\n## /)[0] ?? '';
  const cells = [...section.matchAll(/^\| `([^`]+)`/gm)].map(m => m[1] ?? '');
  assert.ok(cells.length > 0, heading);
  return cells.map(cell => {
    const escaped = cell.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/<[^>]+>/g, '[^/]+');
    return new RegExp(`^${escaped.replace(/\/?$/, '').replace('/…', '(/.*)?')}$`);
  });
}

function walk(dir: string, root = dir): string[] {
  let entries: ReturnType<typeof list>;
  try {
    entries = list(dir);
  } catch {
    return []; // the inside of somebody else's directory is not ours to judge
  }
  return entries.flatMap(e => {
    const path = join(dir, e.name);
    return [relative(root, path), ...(e.isDirectory() ? walk(path, root) : [])];
  });
}
const list = (dir: string) => readdirSync(dir, { withFileTypes: true });

function assertListed(dir: string, heading: string): void {
  const known = patterns(heading);
  const unknown = walk(dir).filter(path => !known.some(p => p.test(path) || isParent(p, path)));
  assert.equal(unknown, []);
}

/** A directory on the way to something that is listed. */
const isParent = (pattern: RegExp, path: string): boolean =>
  pattern.source.startsWith(`^${path.replace(/[.+?^${}()|[\]\\]/g, '\\$&')}\\/`) ||
  pattern.source.startsWith(`^${path.replace(/[.+?^${}()|[\]\\]/g, '\\$&')}/`);

test('the store', async () => {
  const box = await busybox();
  const id = await sleeper('--name', 'busy', '-v', 'vol:/data', '-v', '/anon');
  await box('run', '--network', 'none', '--name', 'ended', 'busybox', 'false');
  await box.ok('create', '--name', 'made', 'busybox', 'true');
  assertListed(box.home.store, 'The store');
  assertListed(join(box.home.dir, 'run/tsbox'), 'The runtime directory');
  await box.ok('rm', '-f', id, 'ended', 'made');
  await box.ok('volume', 'rm', 'vol');
});

test('the page is checked: an unknown file would be found', () => {
  const known = patterns('The store');
  assert.not(known.some(p => p.test('containers/abc/surprise.json')));
});

test.run();
