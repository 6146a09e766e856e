import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { assertAbsent, escapeSuite } from '../support/escape.ts';
import { archive, file } from '../support/tar-bytes.ts';

/** What an image says about itself reaches a shell or an argument list on the host, or a terminal obeys it (CVE-2026-53488). */
const test = escapeSuite(['CVE-2026-53488', 'labels with escapes and option syntax'], { drivers: 'any' });

const ESCAPES = '\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\u202eevil\r\n';

/** Texts that a terminal, an option parser, a template or a shell would obey. */
const hostile = (marker: string): string[] => [
  ESCAPES,
  `$(touch ${marker})\`touch ${marker}\`; touch ${marker} #`,
  '--privileged',
  '-v /:/host',
  'x\n--device=/dev/null',
  '{{.}}{{range}}',
  '%s%n%s',
  '../../../x',
];

/** Commands that show what an image says. */
const shows = (id: string, name: string): string[][] => [
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

test('labels, environment and keys of both', async ({ box, dir, image, start }) => {
  const marker = join(dir, 'pwned');
  const texts = hostile(marker);
  const labels = texts.flatMap((text, i) => [[`l${i}`, text] as const, [text, `v${i}`] as const]);
  const name = await image(archive(file('etc/labels', 'x')), {
    Labels: Object.fromEntries(labels),
    Env: ['PATH=/bin', ...texts.map((text, i) => `V${i}=${text}`)],
  });
  const id = await start('--label', `own=${ESCAPES}`, name, 'sleep', '1000');
  for (const line of shows(id, name)) {
    const done = await box(...line);
    assert.is(done.code, 0, `${line}: ${done.stderr}`);
    assert.not.match(done.stdout + done.stderr, /[^\P{C}\t\n]/u, line.join(' '));
  }
  const inside = await box.ok('exec', id, 'sh', '-c', 'printf "%s\n" "$V1"; cat /proc/self/status');
  assert.match(inside, texts[1] ?? '', 'inside it is what the image says');
  assert.match(inside, /CapEff:\s+00000000a80425fb/, 'no option was one');
  assertAbsent(marker);
});

test.run();
