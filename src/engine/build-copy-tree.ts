import type { BuildContext, ContextEntry } from '../build/types.ts';
import type { CopyNode, FirstNames, Member } from '../layer/build-members.ts';
import type { Tree } from '../layer/build-select.ts';
import type { ByteString } from '../layer/bytes.ts';

/** A context as a tree to copy from. Everything belongs to root; a link counts as its text. */
export class ContextTree implements Tree<ContextNode> {
  readonly #nodes = new Map<ByteString, ContextNode>();
  readonly #names = new Map<ByteString, ByteString[]>();

  constructor(context: BuildContext) {
    this.#nodes.set('', new ContextNode(context, { ...ROOT, mtime: Date.now() }));
    for (const entry of context.entries()) {
      const path = entry.path.toString('latin1');
      this.#nodes.set(path, new ContextNode(context, entry));
      const slash = path.lastIndexOf('/');
      const parent = slash < 0 ? '' : path.slice(0, slash);
      const names = this.#names.get(parent);
      if (names) names.push(path.slice(slash + 1));
      else this.#names.set(parent, [path.slice(slash + 1)]);
    }
  }

  find(path: ByteString): ContextNode | undefined {
    return this.#nodes.get(path);
  }

  names(path: ByteString): readonly ByteString[] {
    return this.#names.get(path) ?? [];
  }
}

const ROOT: ContextEntry = {
  path: Buffer.alloc(0),
  type: 'directory',
  mode: 0o755,
  size: 0,
  mtime: 0,
  dev: 0,
  ino: 0,
  links: 1,
};

const TYPES = { file: 'file', directory: 'dir', symlink: 'symlink' } as const;

export class ContextNode implements CopyNode {
  readonly type: 'file' | 'dir' | 'symlink';
  readonly #context: BuildContext;
  readonly #entry: ContextEntry;

  constructor(context: BuildContext, entry: ContextEntry) {
    this.#context = context;
    this.#entry = entry;
    this.type = TYPES[entry.type];
  }

  get target(): ByteString {
    return this.#entry.target?.toString('latin1') ?? '';
  }

  get identity(): string {
    return `${this.#entry.mode}`;
  }

  get size(): number {
    return this.#entry.size;
  }

  get inode(): string | undefined {
    const { dev, ino, links } = this.#entry;
    return this.type === 'file' && links > 1 ? `${dev}:${ino}` : undefined;
  }

  open(): number {
    return this.#context.open(this.#entry.path);
  }

  describe(name: ByteString, names: FirstNames): Member {
    const { type, mode, size, mtime } = this.#entry;
    const first = this.#firstName(name, names);
    const stored = first === undefined ? size : 0;
    const member = {
      name: type === 'directory' ? `${name}/` : name,
      type: first === undefined ? this.type : ('hardlink' as const),
      size: stored,
      stored,
      mode: type === 'symlink' ? 0o777 : mode,
      uid: 0,
      gid: 0,
      // As docker has it: whole seconds fit into a plain header, a third of what an archive of small files takes otherwise.
      mtime: { seconds: Math.floor(mtime / 1000), nanoseconds: 0 },
      link: first ?? this.target,
      major: 0,
      minor: 0,
      xattrs: undefined,
    };
    return stored > 0 ? { member, open: () => this.open() } : { member };
  }

  #firstName(name: ByteString, names: FirstNames): ByteString | undefined {
    const key = this.inode;
    if (key === undefined) return undefined;
    const first = names.get(key);
    if (first === undefined) names.set(key, name);
    return first;
  }
}
