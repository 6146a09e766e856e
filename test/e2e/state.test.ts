import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { busybox, removeContainers, sleeper } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { readProject } from '../support/source.ts';

/** Every file that tsbox makes is in a table of docs/state.md. */
const test = requires(suite('docs/state.md'), 'userns', 'busybox');
test.after.each(removeContainers);

/** Every path in the first cells of a table, and the directories above it; `<x>` is one name, a last `…` anything below. */
function patterns(heading: string): RegExp[] {
  const page = readProject('docs/state.md');
  const from = page.indexOf(`\n## ${heading}`);
  assert.ok(from >= 0, `no heading "${heading}"`);
  const rows = (page.slice(from + 1).split(/\n## /)[0] ?? '')
    .split('\n')
    .filter(line => line.startsWith('| `'));
  assert.ok(rows.length > 0, heading);
  const cells = rows.flatMap(row =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(m => m[1] ?? ''),
  );
  return cells.flatMap(cell => {
    const parts = cell.split('/');
    return parts.map((_, i) => patternOf(parts.slice(0, i + 1)));
  });
}

function patternOf(parts: readonly string[]): RegExp {
  const one = (part: string): string =>
    part
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/<[^>]+>/g, '[^/]+')
      .replace('…', '.*');
  return new RegExp(`^${parts.map(one).join('/')}$`);
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
  assert.equal(
    walk(dir).filter(path => !known.some(p => p.test(path))),
    [],
  );
}

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
