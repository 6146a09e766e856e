import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './source.ts';
import type { Listed, Listing } from './tree-listing.ts';

/** A Dockerfile of test/fixtures/build, whose README says what the comments at its head mean. */
export interface Fixture {
  readonly name: string;
  /** In the copy. */
  readonly file: string;
  readonly args: readonly string[];
  readonly ignore: readonly string[];
  /** Why buildah does not build it. */
  readonly onlyTsbox: string | undefined;
  /** Fields of the config that are docker's here and not buildah's, and why. */
  readonly differs: ReadonlyMap<string, string>;
  /** Its instructions, each once, in order. */
  readonly instructions: readonly string[];
}

const DIRECTORY = join(PROJECT, 'test/fixtures/build');

export const fixtureNames = (): string[] =>
  readdirSync(DIRECTORY)
    .filter(name => name.endsWith('.Dockerfile'))
    .map(name => name.replace(/\.Dockerfile$/, ''))
    .sort();

export function fixture(name: string, copy = DIRECTORY): Fixture {
  const file = join(copy, `${name}.Dockerfile`);
  const head = readFileSync(join(DIRECTORY, `${name}.Dockerfile`), 'utf8').split('\n');
  const comments = head.filter(line => line.startsWith('# ')).map(line => line.slice(2));
  const after = (word: string): string[] =>
    comments.filter(line => line.startsWith(`${word}: `)).map(line => line.slice(word.length + 2));
  return {
    name,
    file,
    args: after('args').flatMap(line => line.split(' ')),
    ignore: after('ignore'),
    onlyTsbox: after('only tsbox')[0],
    differs: new Map(
      comments.flatMap(line => {
        const [, key = '', why = ''] = DIFFERS.exec(line) ?? [];
        return key === '' ? [] : [[key, why] as const];
      }),
    ),
    instructions: instructionsOf(head),
  };
}

const DIFFERS = /^differs in (\w+): (.+)$/;

function instructionsOf(lines: readonly string[]): string[] {
  const words = lines.flatMap(
    line => /^([A-Z]+)(?:\s+--(\w+))?/.exec(line)?.slice(1, 3).filter(Boolean).join(' --') ?? [],
  );
  return [...new Set(words)].filter(word => KEYWORD.test(word));
}

const KEYWORD =
  /^(?:ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)\b/;

/** A row of docs/build-comparison.md. */
export function tableRow({ name, instructions, onlyTsbox, differs }: Fixture): string {
  const but = [...differs].map(([key, why]) => ` but for ${key}: ${why}`).join(';');
  const outcome = onlyTsbox === undefined ? `equal${but}` : `tsbox alone: ${onlyTsbox}`;
  const shown = instructions.filter(word => word !== 'FROM').join(', ');
  return `| ${name} | ${shown} | ${outcome} |`;
}

/** The fixtures with what git does not keep. */
export function copyFixtures(to: string): void {
  cpSync(DIRECTORY, to, { recursive: true, verbatimSymlinks: true });
  const context = join(to, 'context');
  mkdirSync(join(context, 'nothing'));
  // buildah makes directories with 0755, docker and tsbox with the mode of the source.
  for (const name of ['', 'links', 'modes', 'nothing', 'tree', 'tree/sub', 'tree/sub/deep'])
    chmodSync(join(context, name), 0o755);
  for (const [name, mode] of [
    ['modes/private', 0o600],
    ['modes/executable', 0o755],
  ] as const)
    chmodSync(join(context, name), mode);
  const done = spawnSync('tar', ['-C', context, '-czf', join(context, 'archive.tar.gz'), 'tree']);
  if (done.status !== 0) throw new Error(String(done.stderr));
}

/** The context of one of them: its .dockerignore. */
export function setIgnore(copy: string, { ignore }: Fixture): void {
  writeFileSync(join(copy, 'context/.dockerignore'), ignore.map(line => `${line}\n`).join(''));
}

/** Places that are only mounted on: buildah leaves some of them behind. */
const MOUNTED = /^(?:dev|proc|sys|run|mnt|etc\/(?:hosts|hostname|resolv\.conf))(?:\/|$)/;

/** What two builders must agree on. Times differ where nobody says them. `volumes`: buildah makes them, docker and tsbox do not. */
export function plainTree(
  tree: Listing,
  volumes: readonly string[] = [],
): Record<string, Omit<Listed, 'mtime'>> {
  const kept = [...tree]
    .map(([name, { mtime: _, ...rest }]) => [name.replace(/^\.?\//, '').replace(/\/$/, ''), rest] as const)
    .filter(([name]) => !['', '.', 'etc', ...volumes].includes(name) && !MOUNTED.test(name));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const NOISE =
  /^(?:Hostname|Domainname|Image|ArgsEscaped|MacAddress|NetworkDisabled|Attach.*|Std.*|Open.*|Tty)$/;

/** Absent and empty are the same. */
export function plainConfig(config: object): object {
  const entries = Object.entries(config).filter(([key, value]) => {
    if (NOISE.test(key) || value === null || value === '' || value === 0 || value === false) return false;
    if (key === 'WorkingDir' && value === '/') return false;
    return !(typeof value === 'object' && Object.keys(plainValue(key, value)).length === 0);
  });
  return Object.fromEntries(
    entries
      .map(([key, value]) => [key, plainValue(key, value)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function plainValue(key: string, value: object): object {
  // A range of ports is each of them.
  if (key === 'ExposedPorts') return Object.fromEntries(Object.keys(value).flatMap(portsOf).sort());
  if (key === 'Env') return (value as string[]).filter(entry => !entry.startsWith('PATH=')).sort();
  if (key !== 'Labels') return value;
  const { 'io.buildah.version': _, ...rest } = value as Record<string, string>;
  return rest;
}

function portsOf(port: string): [string, object][] {
  const [, first = '', last = first, protocol = ''] = /^(\d+)(?:-(\d+))?\/(\w+)$/.exec(port) ?? [];
  const count = Number(last) - Number(first) + 1;
  return Array.from({ length: count }, (_, i) => [`${Number(first) + i}/${protocol}`, {}]);
}
