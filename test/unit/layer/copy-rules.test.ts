import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cleaned, insidePath, planCopy, splitEntry } from '../../../src/layer/copy-rules.ts';

/** docker's table of sources and destinations. */
const test = suite('copy rules');
const file = { base: 'f', isDirectory: false };
const directory = { base: 'd', isDirectory: true };
const content = { base: '.', isDirectory: true };
const missing = (path: string) => ({ path, exists: false, isDirectory: false });
const isFile = (path: string) => ({ path, exists: true, isDirectory: false });
const isDirectory = (path: string) => ({ path, exists: true, isDirectory: true });

test('a file', () => {
  assert.equal(planCopy(file, missing('/t/new')), { directory: '/t', rename: { from: 'f', to: 'new' } });
  assert.throws(() => planCopy(file, missing('/t/new/')), /no such directory: \/t\/new\//);
  assert.throws(() => planCopy(file, missing('/t/new/.')), /no such directory/);
  assert.equal(planCopy(file, isFile('/t/old')), { directory: '/t', rename: { from: 'f', to: 'old' } });
  assert.equal(planCopy(file, isDirectory('/t')), { directory: '/t', rename: undefined });
});

test('a directory', () => {
  assert.equal(planCopy(directory, missing('/t/n')), { directory: '/t', rename: { from: 'd', to: 'n' } });
  assert.equal(planCopy(directory, missing('/t/n/')), { directory: '/t', rename: { from: 'd', to: 'n' } });
  assert.throws(() => planCopy(directory, isFile('/t/old')), /cannot copy directory: \/t\/old/);
  assert.equal(planCopy(directory, isDirectory('/t')), { directory: '/t', rename: undefined });
});

test('the content of a directory', () => {
  assert.equal(planCopy(content, missing('/t/n')), { directory: '/t', rename: { from: '', to: 'n' } });
  assert.equal(planCopy(content, isDirectory('/t')), { directory: '/t', rename: undefined });
  assert.throws(() => planCopy(content, isFile('/t/old')), /cannot copy directory/);
});

test('a link that was followed keeps its own name', () => {
  const followed = { ...file, base: 'v1.2', asked: 'latest' };
  assert.equal(planCopy(followed, isDirectory('/t')).rename, { from: 'v1.2', to: 'latest' });
  assert.equal(planCopy(followed, missing('/t/x')).rename, { from: 'v1.2', to: 'x' });
});

test('paths are absolute and never above the root, what they end in stays', () => {
  const table: Record<string, string> = {
    '': '/',
    a: '/a',
    '/a/': '/a/',
    'a/.': '/a/.',
    '../../etc': '/etc',
    '/../x/../y/.': '/y/.',
    '.': '/.',
    '//a//b//': '/a/b/',
  };
  for (const [typed, meant] of Object.entries(table)) assert.is(insidePath(typed), meant, typed);
});

test('any mixture of dots, slashes and names stays below the root', () => {
  const parts = ['..', '.', 'a', '', 'é', '..a'];
  for (let i = 0; i < 6 ** 4; i++) {
    const path = [0, 1, 2, 3].map(n => parts[Math.floor(i / 6 ** n) % 6]).join('/');
    const meant = insidePath(path);
    assert.ok(meant.startsWith('/') && !meant.split('/').includes('..'), `${path} → ${meant}`);
    assert.not.match(cleaned(path), /\/\/|.\/$/);
  }
});

test('the last component', () => {
  assert.equal(splitEntry('/a/b/'), { directory: '/a', base: 'b' });
  assert.equal(splitEntry('/a/b/.'), { directory: '/a/b', base: '.' });
  assert.equal(splitEntry('/'), { directory: '/', base: '/' });
});

test.run();
