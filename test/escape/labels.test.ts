import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { assertAbsent, escapeSuite } from '../support/escape.ts';
import { archive, file } from '../support/tar-bytes.ts';

/** What an image says about itself reaches a shell or an argument list on the host, or a terminal obeys it (CVE-2026-53488). */
const test = escapeSuite(['CVE-2026-53488', 'labels with escapes and option syntax'], { drivers: 'any' });

const ESCAPES = '\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\u202eevil\r\n\x00';

test('labels, environment, command and author full of escapes, options and shell', async ({
  box,
  dir,
  image,
}) => {
  const marker = join(dir, 'pwned');
  const shell = `$(touch ${marker})\`touch ${marker}\`; touch ${marker} #`;
  const texts = [
    ESCAPES.replace('\x00', ''),
    shell,
    '--privileged',
    `-v /:/host`,
    `x\n--device=/dev/null`,
    '{{.}}{{range}}',
    '%s%n%s',
    '../../../x',
  ];
  const labels = Object.fromEntries(
    texts.flatMap((text, i) => [
      [`l${i}`, text],
      [text, `v${i}`],
    ]),
  );
  const name = await image(archive(file('etc/labels', 'x')), {
    Labels: labels,
    Env: ['PATH=/bin', ...texts.map((text, i) => `V${i}=${text}`)],
    Cmd: ['sleep', '1000'],
    StopSignal: 'SIGTERM',
    Healthcheck: { Test: ['NONE'] },
  });
  const id = await box.ok(
    'run',
    '-d',
    '--network',
    'none',
    '--label',
    `own=${ESCAPES.replace('\x00', '')}`,
    name,
  );
  try {
    const words = [
      ['ps', '--no-trunc'],
      ['images'],
      ['inspect', id],
      ['inspect', name],
      ['history', '--no-trunc', name],
      ['ps', '--format', '{{.Labels}}'],
      ['inspect', '--format', '{{.Config.Labels}}', id],
      ['top', id],
      ['events', '--since', '1h', '--until', '0s'],
    ];
    for (const line of words) {
      const done = await box(...line);
      assert.is(done.code, 0, `${line}: ${done.stderr}`);
      assert.not.match(done.stdout + done.stderr, /[^\P{C}\t\n]/u, line.join(' '));
    }
    assert.is(
      await box.ok('exec', id, 'sh', '-c', 'printf %s "$V1"'),
      shell,
      'inside it is what the image says',
    );
    assert.match(
      await box.ok('exec', id, 'sh', '-c', 'ls /; cat /proc/self/status'),
      /CapEff:\s+00000000a80425fb/,
      'no option was one',
    );
  } finally {
    await box.ok('rm', '-f', id);
  }
  assertAbsent(marker);
});

test.run();
