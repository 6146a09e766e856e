import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Who runs a test file: whoever started the runner, a user with subordinate ids, one without, or root. */
export type Account = 'self' | 'ranges' | 'single' | 'root';

export interface TestFile {
  /** Absolute. */
  readonly path: string;
  /** Relative to test/, e.g. `e2e/run.test.ts`. */
  readonly name: string;
  readonly kind: Kind;
  readonly accounts: readonly Account[];
}

export type Kind = keyof typeof KINDS;

interface KindRules {
  readonly accounts: readonly Account[];
  /** All files of the kind share one process. */
  readonly shared: boolean;
  /** Containers are started: look for what they left behind. */
  readonly leaks: boolean;
  /** Seconds for one process. */
  readonly limit: number;
}

export const KINDS = {
  unit: { accounts: ['ranges'], shared: true, leaks: false, limit: 120 },
  arch: { accounts: ['self'], shared: true, leaks: false, limit: 60 },
  fuzz: { accounts: ['self'], shared: false, leaks: false, limit: 900 },
  helpers: { accounts: ['self'], shared: false, leaks: false, limit: 240 },
  contract: { accounts: ['ranges', 'single'], shared: false, leaks: true, limit: 600 },
  security: { accounts: ['ranges', 'single'], shared: false, leaks: true, limit: 240 },
  escape: { accounts: ['ranges', 'single'], shared: true, leaks: true, limit: 900 },
  e2e: { accounts: ['ranges', 'single'], shared: false, leaks: true, limit: 240 },
} as const satisfies Record<string, KindRules>;

export const KIND_NAMES = Object.keys(KINDS) as Kind[];

/** Test files of all kinds that a filter selects; every one when there is no filter. */
export function discover(testDir: string, filters: readonly string[]): TestFile[] {
  const all = KIND_NAMES.flatMap(kind => filesOf(testDir, kind));
  return filters.length === 0 ? all : all.filter(file => filters.some(f => matches(file, f)));
}

function filesOf(testDir: string, kind: Kind): TestFile[] {
  const entries = readdirSync(join(testDir, kind), { recursive: true, withFileTypes: true });
  return entries
    .filter(e => e.isFile() && e.name.endsWith('.test.ts'))
    .map(e => join(e.parentPath, e.name))
    .sort()
    .map(path => ({ path, name: relative(testDir, path), kind, accounts: accountsOf(path, kind) }));
}

/** A file may name its accounts itself: a line `// run as: root` (or several, with commas) near its top. */
function accountsOf(path: string, kind: Kind): readonly Account[] {
  const line = /^\/\/ run as: (.+)$/m.exec(readFileSync(path, 'utf8').slice(0, 2000))?.[1];
  if (line === undefined) return KINDS[kind].accounts;
  return line.split(',').map(word => {
    const name = word.trim();
    if (name !== 'self' && name !== 'ranges' && name !== 'single' && name !== 'root')
      throw new Error(`${path}: unknown account "${name}" in "run as"`);
    return name;
  });
}

/** `arch` is a kind, `unit/oci` a folder, `test/e2e/run.test.ts` a file, anything else a part of a name. */
function matches(file: TestFile, filter: string): boolean {
  const wanted = filter.replace(/^(\.\/)?test\//, '').replace(/\/$/, '');
  if ((KIND_NAMES as string[]).includes(wanted)) return file.kind === wanted;
  return file.name.startsWith(`${wanted}/`) || file.name.includes(wanted);
}
