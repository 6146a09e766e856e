import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nosuidMount } from '../../../src/host/mapper.ts';

const test = suite('host/mapper');
const line = (point: string, options: string): string =>
  `1 2 8:1 / ${point} ${options} shared:1 - ext4 /dev/x rw`;

const CASES: ReadonlyArray<readonly [string, string[], string | undefined]> = [
  ['plain root', [line('/', 'rw,relatime')], undefined],
  ['nosuid root', [line('/', 'rw,nosuid')], '/'],
  ['nosuid /usr', [line('/', 'rw'), line('/usr', 'ro,nosuid,nodev')], '/usr'],
  ['nosuid elsewhere', [line('/', 'rw'), line('/home', 'rw,nosuid')], undefined],
  ['a name that only begins alike', [line('/', 'rw'), line('/usr/bi', 'rw,nosuid')], undefined],
  ['suid again on top', [line('/', 'rw'), line('/usr', 'rw,nosuid'), line('/usr', 'rw')], undefined],
  ['nosuid on top', [line('/', 'rw'), line('/usr', 'rw'), line('/usr', 'rw,nosuid')], '/usr'],
  ['an escaped space is no end', [line('/', 'rw'), line('/usr\\040x', 'rw,nosuid')], undefined],
  [
    'an option in the super block is none of the mount',
    ['1 2 8:1 / / rw - ext4 /dev/x rw,nosuid'],
    undefined,
  ],
  ['garbage', ['', 'x', '1 2'], undefined],
];

for (const [name, lines, expected] of CASES) {
  test(name, () => assert.is(nosuidMount(lines.join('\n'), '/usr/bin/newuidmap'), expected));
}

test.run();
