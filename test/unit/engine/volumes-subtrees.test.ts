import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { subtrees } from '../../../src/engine/volumes-subtrees.ts';
import { tempHome } from '../../support/temp-home.ts';

const test = suite('engine/volumes-subtrees');

/** Layers from lists of entries: `a/b/` a directory, `a/b` a file, `a -> b` a link. Returns what is seen at `path`. */
function see(path: string, layers: string[][], opaque: string[] = []): string[] {
  const base = mkdtempSync(join(tempHome('trees').dir, 't-'));
  const roots = layers.map((entries, index) => {
    const root = join(base, `l${index}`);
    mkdirSync(root);
    for (const entry of entries) make(root, entry);
    return root;
  });
  const xattr = (file: string): Buffer | undefined =>
    opaque.includes(file.slice(base.length + 1)) ? Buffer.from('y') : undefined;
  return subtrees(roots, path, xattr).map(found => found.slice(base.length + 1));
}

function make(root: string, entry: string): void {
  const [name = '', link] = entry.split(' -> ');
  const path = join(root, name);
  mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
  if (link !== undefined) symlinkSync(link, path);
  else if (!name.endsWith('/')) writeFileSync(path, '');
}

test('directories of all layers, the base first; none where there is none', () => {
  assert.equal(see('/d/e', [['d/e/'], ['x'], ['d/e/f']]), ['l0/d/e', 'l2/d/e']);
  assert.equal(see('/', [['a'], ['b']]), ['l0', 'l1']);
  assert.equal(see('/d/./e//', [['d/e/']]), ['l0/d/e']);
  assert.equal(see('/nope', [['d/']]), []);
  assert.equal(see('/d', []), []);
});

test('what an upper layer removed or replaced hides what lies below', () => {
  assert.equal(see('/d', [['d/'], ['.wh.d']]), []);
  assert.equal(see('/d/e', [['d/e/'], ['d/.wh.e'], ['d/e/']]), ['l2/d/e']);
  assert.equal(see('/d', [['d/'], ['d']]), [], 'a file');
  assert.equal(see('/d', [['d'], ['d/x']]), ['l1/d']);
  assert.equal(see('/d', [['d/'], ['d -> nope'], ['d/x']]), ['l2/d']);
  assert.equal(see('/d/e', [['d/e/'], ['d/e/']], ['l1/d']), ['l1/d/e'], 'opaque');
  assert.equal(
    see('/d/e', [['d/e/'], ['d/.wh..wh..opq', 'd/e/']]),
    ['l1/d/e'],
    'opaque, as the archive says it',
  );
});

test('links are followed within the image and never out of it', () => {
  assert.equal(see('/var/run/x', [['run/x/', 'var/run -> /run']]), ['l0/run/x']);
  assert.equal(see('/a/b', [['a/b -> ../c/d'], ['c/d/']]), ['l1/c/d']);
  assert.equal(see('/l', [['l -> ../../../../etc', 'etc/']]), ['l0/etc']);
  assert.equal(see('/l', [['l -> /proc/self/root/etc']]), []);
  assert.equal(see('/../../d', [['d/']]), ['l0/d']);
  assert.equal(see('/l/x', [['l -> l']]), [], 'a circle');
  assert.equal(see('/l', [['l -> m', 'm -> d', 'd/'], ['d/x']]), ['l0/d', 'l1/d']);
});

test('a file on the way', () => {
  assert.equal(see('/f/x', [['f']]), []);
});

test.run();
