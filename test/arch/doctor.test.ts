import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FINDINGS } from '../../src/engine/doctor-codes.ts';
import { type ErrorSite, errorSites } from '../support/error-sites.ts';
import { filesBelow, readProject } from '../support/source.ts';

/** What doctor finds, what errors say of it, and what the documents explain are one table. */
const test = suite('doctor: errors and documents');

/** Errors with these codes stem from the machine, unless a line below says why not. */
const HOST_CODES = ['USERNS', 'SUBID', 'STORAGE', 'NETWORK', 'HOST', 'LIMIT', 'NO_SPACE'];

/** File, beginning of the message, and why no check of doctor can explain it. */
const NOT_THE_MACHINE: readonly (readonly [string, string, string])[] = [
  ['runtime/seccomp.ts', 'there is no seccomp filter for', 'tsbox has none for this processor'],
  ['engine/foreign-compression.ts', 'the archive is compressed', 'a program for one kind of archive'],
  ['engine/network-endpoints.ts', 'no free address', 'the network of the user is full'],
  ['engine/sandbox-layer.ts', 'sandboxes with the storage driver', 'the driver was chosen'],
  ['engine/sandbox.ts', '', 'a limit of the caller'],
  ['engine/create-cdi-files.ts', 'the CDI file', 'a file of another program'],
  ['engine/create-cdi.ts', 'no CDI device', 'a name that is not there'],
  ['engine/create-devices.ts', 'device ', 'a device that the user named'],
  ['engine/guest-place.ts', '', 'two requests that do not fit'],
  ['engine/network-create.ts', 'no subnet is left', 'the networks of the user fill the pool'],
  ['engine/build-download.ts', 'cannot download', 'a server elsewhere'],
  ['engine/resources.ts', '--memory-swappiness', 'no kernel has it any more'],
  ['engine/resources.ts', '--oom-kill-disable', 'no kernel has it any more'],
  ['engine/machine.ts', '', 'what a trial printed; the probe gives it its check'],
  [
    'network/select.ts',
    'the network driver',
    'a record of another version; the other one passes the check on',
  ],
  ['storage/layout.ts', 'the layer', 'the store is incomplete'],
  ['registry/credential-helper.ts', '', 'a helper program of the user'],
  ['build/context-git.ts', 'a git repository as context', 'a program for one kind of context'],
  ['host/spawn.ts', '', 'any program'],
  ['host/owner.ts', 'the store', 'the ranges of root were changed'],
];

interface Made extends ErrorSite {
  readonly file: string;
}

const files = filesBelow('src', '.ts');
const made: readonly Made[] = files.flatMap(file =>
  errorSites(readProject(file))
    .filter(site => HOST_CODES.includes(site.code))
    .map(site => ({ ...site, file })),
);

const excuse = (error: Made): number =>
  NOT_THE_MACHINE.findIndex(
    ([file, start]) => error.file === `src/${file}` && error.message.startsWith(start),
  );

test('every error of the machine names the check of doctor that explains it', () => {
  assert.ok(made.length > 50, `${made.length} errors found`);
  const silent = made.filter(error => !error.named && excuse(error) < 0);
  assert.equal(
    silent.map(e => `${e.file}:${e.line} ${e.code} ${e.message}`),
    [],
  );
});

test('nothing is excused that is not there', () => {
  const used = new Set(made.filter(error => !error.named).map(excuse));
  assert.equal(
    NOT_THE_MACHINE.filter((_, i) => !used.has(i)).map(([file, start]) => `${file} ${start}`),
    [],
  );
});

/** The rows of the table `| code | check | …` in host-setup.md. */
function documented(): (readonly [code: string, checks: string])[] {
  const page = readProject('docs/host-setup.md');
  const section = page.slice(page.indexOf('\n## What doctor can find')).split(/\n## /)[1] ?? '';
  return section
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line => line.split('|').map(cell => cell.replaceAll('`', '').trim()))
    .map(([, code = '', checks = '']) => [code, checks] as const);
}

test('host-setup.md has every finding, the checks that find it, and no other', () => {
  const expected = Object.entries(FINDINGS).map(([code, { checks }]) => [code, checks.join(', ')] as const);
  assert.equal(documented(), expected);
});

test('every check of doctor is in the first table of host-setup.md', () => {
  const page = readProject('docs/host-setup.md').split('\n## ')[0] ?? '';
  const ids = new Set(Object.values(FINDINGS).flatMap(({ checks }) => checks));
  assert.equal(
    [...ids].filter(id => !page.includes(`\`${id}\``)),
    [],
  );
});

test('every finding is found somewhere: by a step of doctor or an error', () => {
  const text = files
    .filter(f => !/doctor-codes|doctor-remed|errors\.ts$/.test(f))
    .map(readProject)
    .join('\n');
  const built = ['fuse-missing', 'fuse-closed', 'tun-missing', 'tun-closed'];
  assert.equal(
    Object.keys(FINDINGS).filter(code => !text.includes(`'${code}'`) && !built.includes(code)),
    [],
  );
});

test.run();
