import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TSBOX } from '../support/cli.ts';
import { openPty } from '../support/pty.ts';
import { busybox } from '../support/ready.ts';
import { requires } from '../support/requires.ts';
import { PROJECT } from '../support/source.ts';

/** TIOCSTI and TIOCLINUX put words into the mouth of the user at the terminal (CVE-2017-5226). */
const test = requires(suite('terminal injection'), 'userns', 'busybox', 'fuse', 'fuse-overlayfs', 'script');

const IOCTL = process.arch === 'arm64' ? 29 : 16;
const EPERM = 1;
/** On each of the three descriptors: TIOCSTI, the same with upper bits that the kernel ignores, TIOCLINUX. */
const CALLS = JSON.stringify(
  [0, 1, 2].flatMap(fd => [
    [IOCTL, fd, 0x5412, 'i'],
    [IOCTL, fd, 2 ** 32 + 0x5412, 'i'],
    [IOCTL, fd, 0x541c, '\x02'],
  ]),
);

const run = (...flags: string[]): string[] => [
  TSBOX,
  ...['run', '--rm', '--network', 'none', '-v', `${PROJECT}:${PROJECT}:ro`, ...flags, 'host'],
  ...[process.execPath, `${PROJECT}/test/support/syscalls.mjs`, CALLS],
];

for (const flags of [[], ['-i'], ['-t'], ['-it'], ['-it', '--cap-add', 'SYS_ADMIN']]) {
  test(`run ${flags.join(' ')} on a terminal: refused, and the shell outside reads nothing`, async () => {
    const { home } = await busybox();
    // What is injected would be read by the shell that waits behind tsbox on the same terminal.
    const shell = `${run(...flags)
      .map(word => `'${word}'`)
      .join(' ')}; echo; IFS= read -t 1 -n 1 typed; echo "typed=[$typed]"`;
    const pty = await openPty(['bash', '-c', shell], home);
    const [, answer = ''] = await pty.expect(/"results":\[([^\]]*)\]/, 20_000);
    const results = answer.split(',').map(Number);
    assert.is(results.length, 9);
    assert.ok(
      results.every(errno => errno === EPERM),
      answer,
    );
    await pty.expect(/typed=\[\]/);
    await pty.end();
  });
}

test.run();
