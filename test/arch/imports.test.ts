import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Import, importsOf } from '../support/imports.ts';
import { filesBelow, readProject } from '../support/source.ts';

/**
 * The arrows of docs/architecture.md. A room may import what is listed for it and nothing else; `type:` entries only as
 * types. Errors and log may be imported from anywhere.
 */
const LOW = ['oci', 'host', 'sys', 'plan', 'util'];
const MIDDLE = ['build', 'registry', 'store', 'layer', 'storage', 'network', 'cgroup', 'runtime'];
const ARROWS: Record<string, readonly string[]> = {
  cli: ['index', 'util'],
  index: ['engine'],
  engine: [...MIDDLE, ...LOW],
  build: LOW,
  registry: LOW,
  // a container's record says which drivers it was made with
  store: [...LOW, 'type:storage', 'type:network', 'type:cgroup'],
  layer: LOW,
  // vfs copies layers
  storage: [...LOW, 'layer'],
  network: LOW,
  cgroup: LOW,
  runtime: LOW,
  // the second program; nobody imports it
  userns: ['layer', 'oci', 'store', 'sys', 'util'],
  // makes dist/ when tsbox is built, the usual filters and the manual among it; nobody imports it
  bundle: ['runtime', 'cli'],
  // the single-file executable: both programs in one; nobody imports it
  exe: ['cli', 'userns', 'host', 'util'],
  oci: ['util'],
  // id maps are part of plans
  host: ['util', 'type:plan'],
  sys: ['util'],
  plan: ['util'],
  util: [],
  errors: [],
  log: [],
};

/** Each package is known to one room: replacing it is that room's business alone. */
const HOMES: Record<string, RegExp> = {
  clipanion: /^src\/cli\//,
  typanion: /^src\/cli\//,
  'dns-packet': /^src\/network\//,
  koffi: /^src\/sys\//,
  tar: /^src\/layer\//,
  fzstd: /^src\/layer\//,
  esbuild: /^src\/bundle\//,
  rollup: /^src\/bundle\//,
  undici: /^src\/registry\//,
  'smol-toml': /^src\/(host|registry)\//,
  'bun:ffi': /^src\/exe\//,
  'node:child_process': /^src\/host\/spawn\.ts$/,
  'node:worker_threads': /^$/,
  'node:cluster': /^$/,
};

const ANYWHERE = ['errors', 'log'];
const DRIVERS: Record<string, readonly string[]> = {
  storage: ['overlay', 'fuse-overlayfs', 'vfs', 'host'],
  network: ['none', 'host', 'slirp4netns', 'pasta', 'container', 'bridge'],
  cgroup: ['none', 'cgroupfs', 'systemd'],
};

const files = filesBelow('src', '.ts');
const imports = new Map(files.map(file => [file, importsOf(file, readProject(file))]));
const all = [...imports].flatMap(([file, list]) => list.map(i => ({ file, ...i })));
const test = suite('arrows');

/** `src/host/spawn.ts` is in `host`, `src/errors.ts` is a room of its own. */
const roomOf = (file: string): string => (file.split('/')[1] ?? '').replace(/\.ts$/, '');

function forbidden(file: string, i: Import): boolean {
  const [from, to] = [roomOf(file), roomOf(i.target)];
  const allowed = ARROWS[from] ?? [];
  if (from === to || ANYWHERE.includes(to) || allowed.includes(to)) return false;
  return !(i.typeOnly && allowed.includes(`type:${to}`));
}

test('every room is in the table', () => {
  assert.equal([...new Set(files.map(roomOf))].filter(room => !(room in ARROWS)).sort(), []);
});

test('imports point down only', () => {
  const bad = all.filter(i => !i.external && forbidden(i.file, i));
  assert.equal(
    bad.map(i => `${i.file} → ${i.target}`),
    [],
  );
});

test('relative imports end in .ts and exist', () => {
  const bad = all.filter(i => !i.external && !files.includes(i.target));
  assert.equal(
    bad.map(i => `${i.file} → ${i.target}`),
    [],
  );
});

test('each dependency has one home', () => {
  const bad = all.filter(i => {
    const [name = ''] = /^(node:\w+|@[^/]+\/[^/]+|[^/]+)/.exec(i.target) ?? [];
    return i.external && !i.typeOnly && HOMES[name] !== undefined && !HOMES[name].test(i.file);
  });
  assert.equal(
    bad.map(i => `${i.file} → ${i.target}`),
    [],
  );
});

test('every runtime dependency is declared and has a home', () => {
  const { dependencies } = JSON.parse(readProject('package.json')) as { dependencies: object };
  const used = new Set(
    all.filter(i => i.external && !i.target.startsWith('node:')).map(i => i.target.split('/')[0] ?? ''),
  );
  assert.equal(
    [...used].filter(name => !(name in HOMES)),
    [],
    'no home in the table',
  );
  assert.equal(
    Object.keys(dependencies).filter(name => !(name in HOMES)),
    [],
    'declared without a home',
  );
});

test('drivers do not know each other', () => {
  const isDriver = (file: string): boolean => {
    const [, room = '', name = ''] = file.split('/');
    return DRIVERS[room]?.some(d => name === `${d}.ts`) ?? false;
  };
  const bad = all.filter(i => !i.external && i.target !== i.file && isDriver(i.target) && isDriver(i.file));
  assert.equal(
    bad.map(i => `${i.file} → ${i.target}`),
    [],
  );
});

test('nobody imports the second entry point', () => {
  assert.equal(
    all.filter(
      i => roomOf(i.target) === 'userns' && !['userns', 'exe'].includes(roomOf(i.file)) && !i.external,
    ),
    [],
  );
});

test('pure rooms touch neither disk, network nor processes', () => {
  const impure = /^node:(fs|net|http|https|dns|child_process|process)/;
  const bad = all.filter(
    i => ['oci', 'plan'].includes(roomOf(i.file)) && !i.typeOnly && impure.test(i.target),
  );
  assert.equal(
    bad.map(i => `${i.file} → ${i.target}`),
    [],
  );
});

test('modules do not import each other in a circle', () => {
  const done = new Set<string>();
  const walk = (file: string, path: string[]): void => {
    if (path.includes(file)) throw new Error(`circle: ${[...path, file].join(' → ')}`);
    if (done.has(file)) return;
    for (const i of imports.get(file) ?? []) if (!i.external && !i.typeOnly) walk(i.target, [...path, file]);
    done.add(file);
  };
  for (const file of files) walk(file, []);
});

/** Where a piece of the process's surroundings may be touched. */
const WORDS: ReadonlyArray<readonly [pattern: RegExp, allowed: RegExp]> = [
  [/\bprocess\.exit\(/, /^src\/(cli|userns)\/main\.ts$/],
  [/\bconsole\./, /^$/],
  [/(?<!\.)\bprocess\.(env\b|cwd\()/, /^src\/(cli\/|exe\/|host\/(paths|config)\.ts$)/],
];

for (const [pattern, allowed] of WORDS) {
  test(`${pattern.source} stays where it belongs`, () => {
    const code = (file: string): string =>
      readProject(file)
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .replace(/\/\/.*$/gm, '');
    assert.equal(
      files.filter(file => !allowed.test(file) && pattern.test(code(file))),
      [],
    );
  });
}

test('the import scanner sees every form', () => {
  const text = [
    "import a from './a.ts';",
    "import type { B } from './b.ts';",
    "import {\n  c,\n  d,\n} from '../c/d.ts';",
    "export * from './e.ts';",
    "export type * from './f.ts';",
    "import './g.ts';",
    "const h = await import('./h.ts');",
    "// import i from './i.ts';",
  ].join('\n');
  assert.equal(
    importsOf('src/x/y.ts', text).map(i => `${i.typeOnly ? 'type ' : ''}${i.target}`),
    [
      'src/x/a.ts',
      'type src/x/b.ts',
      'src/c/d.ts',
      'src/x/e.ts',
      'type src/x/f.ts',
      'src/x/g.ts',
      'src/x/h.ts',
    ],
  );
});

test.run();
