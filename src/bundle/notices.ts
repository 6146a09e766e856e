import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly homepage?: string;
  readonly author?: string | { readonly name: string };
  readonly dependencies?: Readonly<Record<string, string>>;
}

const RULE = '-'.repeat(80);

/**
 * The licences of the packages that a project's programs are made of, dependencies of dependencies included, as one text; theirs ask that it goes
 * along. Throws when one has not been installed.
 */
export function notices(project: string): string {
  const modules = join(project, 'node_modules');
  const found = new Map<string, Manifest>();
  const visit = ({ dependencies = {} }: Manifest): void => {
    for (const name of Object.keys(dependencies)) {
      if (found.has(name)) continue;
      const manifest = manifestOf(join(modules, name));
      found.set(name, manifest);
      visit(manifest);
    }
  };
  visit(manifestOf(project));
  const parts = [...found.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(manifest => describe(manifest, join(modules, manifest.name)));
  return [HEAD, ...parts].join(`\n${RULE}\n`);
}

const HEAD = `tsbox contains parts of these packages, each under its own licence. The single-file executable contains Bun, too
(https://bun.com, MIT, with JavaScriptCore under the LGPL 2: https://bun.com/docs/project/license); the helper
contains what it needs of the C library that it was linked with (the GNU C library: LGPL 2.1).
`;

const manifestOf = (dir: string): Manifest =>
  JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Manifest;

function describe({ name, version, license, homepage, author }: Manifest, dir: string): string {
  const by = typeof author === 'string' ? author : author?.name;
  const title = [`${name} ${version}`, license, by, homepage].filter(Boolean).join(', ');
  const file = existsSync(dir) ? readdirSync(dir).find(n => /^licen[cs]e(\.\w+)?$/i.test(n)) : undefined;
  return file === undefined ? `${title}\n` : `${title}\n\n${readFileSync(join(dir, file), 'utf8').trim()}\n`;
}
