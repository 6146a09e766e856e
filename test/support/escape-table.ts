import { ENTRIES, type EscapeEntry } from './escape-entries.ts';
import { filesBelow, readProject } from './source.ts';

/** A file of the escape suite as its source says. */
export interface EscapeFile {
  readonly path: string;
  readonly entries: readonly string[];
  readonly drivers: string;
  readonly users: string;
}

const USERS: Readonly<Record<string, string>> = { ranges: 'multi-uid', single: 'single', root: 'root' };

export function escapeFiles(): EscapeFile[] {
  return filesBelow('test/escape', '.test.ts').map(path => {
    const source = readProject(path);
    const call = /escapeSuite\(\s*\[([^\]]*)\],\s*\{\s*drivers: '(each|any)'/s.exec(source);
    const accounts = /^\/\/ run as: (.+)$/m.exec(source)?.[1]?.split(', ') ?? ['ranges', 'single'];
    // The oldest file stands by itself: a terminal for each of its tests, the image `host`.
    const named = call?.[1] ?? /\b(CVE-\d+-\d+)\b/.exec(source)?.[0].replace(/.*/, "'$&'") ?? '';
    return {
      path,
      entries: [...named.matchAll(/'([^']+)'/g)].map(m => m[1] ?? ''),
      drivers: call?.[2] === 'each' ? 'overlay, fuse-overlayfs' : 'any',
      users: accounts.map(account => USERS[account] ?? account).join(', '),
    };
  });
}

/** The text of docs/escape-suite.md. */
export function escapeTable(): string {
  const files = escapeFiles();
  const known = new Set(ENTRIES.map(entry => entry.id));
  const more = [...new Set(files.flatMap(f => f.entries))].filter(id => !known.has(id)).sort();
  return `# The escape suite

What has been an escape from a container somewhere, tried on tsbox. Each file of \`test/escape\` makes its attack in code, shows where it can that the
attack works outside of a container or with the wall taken away, and that it fails inside while a tree of canary files on the host keeps its inodes, times
and contents. This table is made from the files: \`UPDATE=1 npm test -- arch/escape\`.

*Users*: \`multi-uid\` has subordinate ids, \`single\` has none. *Drivers*: \`any\` where the storage driver has no part in the attack.

| Entry | Attack | Users | Drivers | Tests |
| --- | --- | --- | --- | --- |
${ENTRIES.map(entry => row(entry, files)).join('\n')}

The same files also hold ${more.join(', ')}.

Attacks on layers, images, archives and registries are listed in [hostile-input.md](hostile-input.md).
`;
}

function row({ id, attack, also = [], elsewhere }: EscapeEntry, files: readonly EscapeFile[]): string {
  const own = files.filter(f => f.entries.includes(id));
  const tests = [...own.map(f => f.path), ...also].map(path => `\`${path}\``).join(', ');
  const of = (key: 'users' | 'drivers'): string => [...new Set(own.map(f => f[key]))].join('; ');
  return `| ${id} | ${attack} | ${of('users')} | ${of('drivers')} | ${elsewhere ?? tests} |`;
}
