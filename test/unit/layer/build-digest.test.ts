import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CopyDigest, digestOf, shapeOf } from '../../../src/layer/build-digest.ts';
import { type CopyNode, membersOf, packMembers } from '../../../src/layer/build-members.ts';
import { selectFiles, type Tree } from '../../../src/layer/build-select.ts';

/** Files of a directory; a name that ends in `=` and another one is a further name of that one. */
class Node implements CopyNode {
  readonly type: 'file' | 'dir';
  readonly path: string;
  readonly size: number;
  readonly inode: string | undefined;
  readonly identity = '420';
  opened = 0;

  constructor(path: string, content: string | undefined, inode?: string) {
    this.type = content === undefined ? 'dir' : 'file';
    this.path = path;
    this.size = content?.length ?? 0;
    this.inode = inode;
  }

  open(): number {
    this.opened++;
    return openSync(this.path, 'r');
  }

  describe(name: string, names: Map<string, string>) {
    const first = this.inode === undefined ? undefined : names.get(this.inode);
    if (this.inode !== undefined && first === undefined) names.set(this.inode, name);
    const plain = { uid: 0, gid: 0, major: 0, minor: 0, xattrs: undefined, mode: 0o644 };
    const size = first === undefined ? this.size : 0;
    const type = first === undefined ? this.type : ('hardlink' as const);
    const mtime = { seconds: 0, nanoseconds: 0 };
    const member = { ...plain, name, type, size, stored: size, link: first ?? '', mtime };
    return size > 0 ? { member, open: () => this.open() } : { member };
  }
}

const root = mkdtempSync(join(tmpdir(), 'tsbox-digest-'));
let count = 0;

function choose(files: Record<string, string>, inodes: Record<string, string> = {}) {
  const dir = join(root, String(count++));
  mkdirSync(dir);
  const nodes = new Map<string, Node>([['', new Node(dir, undefined)]]);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(dir, name), content);
    nodes.set(name, new Node(join(dir, name), content, inodes[name]));
  }
  const tree: Tree<Node> = {
    find: path => nodes.get(path),
    names: path => (path === '' ? [...nodes.keys()].filter(Boolean).sort() : []),
  };
  return { choice: selectFiles(tree, { sources: ['/'], exclude: [], parents: false }), nodes };
}

type Chosen = ReturnType<typeof choose>['choice'];

function onTheWay(choice: Chosen): string {
  const digest = new CopyDigest(shapeOf(choice));
  const go = { path: 'to', intoDirectory: true, exists: true };
  for (const _ of packMembers(membersOf(choice, go), false, digest));
  return digest.finish();
}

const test = suite('layer/build-digest');
test.after(() => rmSync(root, { recursive: true }));

const big = 'x'.repeat(300_000);

test('read for the digest alone or on the way to a layer: the same, each file once', () => {
  for (const files of [{}, { a: '' }, { a: '1', b: big, c: '' }, { a: big, b: big }]) {
    const [one, two] = [choose(files), choose(files)];
    assert.is(digestOf(one.choice), onTheWay(two.choice));
    for (const { nodes } of [one, two])
      for (const node of nodes.values()) assert.is(node.opened, node.size > 0 ? 1 : 0);
  }
});

test('bytes are no part of the shape, and every one of them counts', () => {
  const [one, two] = [choose({ a: 'one' }).choice, choose({ a: 'two' }).choice];
  assert.is(shapeOf(one), shapeOf(two));
  assert.is.not(digestOf(one), digestOf(two));
  // Where one file ends and the next one begins is in the sizes.
  assert.is.not(digestOf(choose({ a: 'xy', b: 'z' }).choice), digestOf(choose({ a: 'x', b: 'yz' }).choice));
});

test('a further name of a file is no copy of it', () => {
  const linked = choose({ a: 'x', b: 'x' }, { a: '1:1', b: '1:1' });
  assert.is(digestOf(linked.choice), onTheWay(choose({ a: 'x', b: 'x' }, { a: '2:7', b: '2:7' }).choice));
  assert.is.not(shapeOf(linked.choice), shapeOf(choose({ a: 'x', b: 'x' }).choice));
  assert.equal([linked.nodes.get('a')?.opened, linked.nodes.get('b')?.opened], [1, 0]);
});

test('a file that has become shorter counts as filled with zeros, as in the archive', () => {
  const shrunk = () => {
    const { choice, nodes } = choose({ a: 'long' });
    writeFileSync(nodes.get('a')?.path ?? '', 'lo');
    return choice;
  };
  assert.is(digestOf(shrunk()), onTheWay(shrunk()));
});

test.run();
