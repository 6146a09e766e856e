import { readProject } from './source.ts';
import type { Listed, Listing } from './tree-listing.ts';

/** What must survive, in the order of the table's columns. */
export const PROPERTIES = [
  'digest',
  'config and history',
  'owners',
  'modes',
  'times',
  'hard links',
  'xattrs',
  'capabilities',
  'content',
  'names',
] as const;

export type Property = (typeof PROPERTIES)[number];
export type Row = Readonly<Record<Property, string>>;

const CAPABILITY = 'security.capability';
const sorted = (record: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(record).sort());

const FACETS: Readonly<Partial<Record<Property, (listed: Listed) => string>>> = {
  owners: ({ owner }) => owner,
  modes: ({ type, mode }) => `${type} ${mode}`,
  times: ({ mtime }) => mtime,
  'hard links': ({ links }) => links,
  xattrs: ({ xattrs }) =>
    sorted(Object.fromEntries(Object.entries(xattrs).filter(([k]) => k !== CAPABILITY))),
  capabilities: ({ xattrs }) => xattrs[CAPABILITY] ?? '',
  content: ({ size, content, target }) => `${size} ${content} ${target}`,
};

export interface Compared {
  /** `yes`, or `no` where any path differs. */
  readonly cells: Readonly<Partial<Record<Property, string>>>;
  /** The first differences, for messages. */
  readonly problems: readonly string[];
}

/** A tree beside what it must be. Directories that a tool adds by itself do not matter. */
export function compareTrees(expected: Listing, actual: Listing): Compared {
  const problems: string[] = [];
  const cells: Partial<Record<Property, string>> = {};
  const missing = [...expected.keys()].filter(name => !actual.has(name));
  cells.names = missing.length === 0 ? 'yes' : 'no';
  problems.push(...missing.map(name => `${name} is missing`));
  for (const [property, facet] of Object.entries(FACETS) as [Property, (listed: Listed) => string][]) {
    const wrong = [...expected].flatMap(([name, want]) => {
      const got = actual.get(name);
      return got && facet(got) !== facet(want)
        ? [`${name}: ${property} ${facet(got)}, not ${facet(want)}`]
        : [];
    });
    cells[property] = wrong.length === 0 ? 'yes' : 'no';
    problems.push(...wrong);
  }
  return { cells, problems: problems.slice(0, 20) };
}

/** The rows of the first table below a heading of docs/round-trip.md, without the notes' marks. */
export function documentedRows(heading: string): string[] {
  const section = readProject('docs/round-trip.md').split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter(line => line.startsWith('|'));
  return rows.slice(2).map(row => row.replaceAll(/[¹²³⁴]/g, '').replaceAll(/ +/g, ' '));
}

export const rowOf = (name: string, row: Row): string =>
  `| ${[name, ...PROPERTIES.map(property => row[property])].join(' | ')} |`;
