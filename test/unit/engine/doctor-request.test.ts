import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FINDINGS } from '../../../src/engine/doctor-codes.ts';
import { requestOf } from '../../../src/engine/doctor-request.ts';
import type { DoctorCheck } from '../../../src/engine/types.ts';
import type { HostCheck } from '../../../src/errors.ts';
import { BARE } from '../../support/machine-facts.ts';
import { readProject } from '../../support/source.ts';

const test = suite('engine/doctor-request');

const found = (...codes: string[]): DoctorCheck[] =>
  codes.map(code => ({ id: 'x', title: 'x', status: 'warn', code, detail: '' }));
const request = (...codes: HostCheck[]) => requestOf(found(...codes), BARE);
/** What is executed. */
const commands = (text: string): string[] =>
  text.split('\n').filter(line => line !== '' && !line.startsWith('#'));

test('nothing is asked for where nothing is missing', () => {
  for (const checks of [found(), found('userns', 'idmap'), found('linger-off', 'store-space')]) {
    const { text, items } = requestOf(checks, BARE);
    assert.equal(items, []);
    assert.equal(commands(text), []);
    assert.match(text, /build7 has everything/);
  }
});

test('the text of the documents is the text', () => {
  const { text } = request('userns-limit', 'mapper-missing', 'subid-missing', 'slirp4netns-missing');
  assert.ok(readProject('docs/host-setup.md').includes(text.trimEnd()), text);
});

test('programs are installed at once, switches are set at once, and nothing is said twice', () => {
  const { text, items } = request(
    'mapper-missing',
    'userns-clone',
    'fuse-overlayfs-missing',
    'overlay-refused',
    'userns-limit',
    'tun-closed',
    'tun-closed',
  );
  assert.is(text.match(/apt-get install/g)?.length, 1);
  assert.match(text, /apt-get install -y uidmap fuse-overlayfs\n/);
  assert.match(text, /'kernel.unprivileged_userns_clone = 1' 'user.max_user_namespaces = 15000' >>/);
  assert.is(text.match(/chmod 0666 \/dev\/net\/tun/g)?.length, 1);
  assert.equal(
    items.map(item => item.codes),
    [
      ['mapper-missing', 'fuse-overlayfs-missing', 'overlay-refused'],
      ['userns-clone', 'userns-limit'],
      ['tun-closed'],
    ],
  );
});

test('what the user does alone is said, not asked for', () => {
  const { text } = request('tun-closed', 'linger-off');
  assert.match(text, /^# alice does without help: loginctl enable-linger alice$/m);
  assert.not.ok(commands(text).some(line => line.includes('linger')));
});

test('with everything missing it is one script that a shell can read, each reason above its commands', () => {
  const { text } = request(...(Object.keys(FINDINGS) as HostCheck[]));
  const done = spawnSync('sh', ['-n'], { input: text, encoding: 'utf8' });
  assert.is(done.status, 0, done.stderr);
  for (const [code, { sentence }] of Object.entries(FINDINGS))
    if (text.includes(`# ${code}:`)) assert.ok(text.includes(`#    ${code}: ${sentence}`), code);
  assert.match(text, /profile tsbox-helper \/opt\/tsbox\/tsbox-helper flags=\(unconfined\)/);
});

test.run();
