import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emulationEnv, emulationOps } from '../../../src/runtime/seccomp-emulation.ts';

const test = suite('root emulation: plan');

test('the file for apt is optional and not in the image', () => {
  const [op] = emulationOps();
  assert.is(op?.name, 'write');
  assert.is(op?.optional, true);
  assert.match(String(op?.fields[0]), /^\/dev\//);
  assert.is(String(op?.fields[1]), 'APT::Sandbox::User "root";\n');
});

test('the variable names it, unless there is one', () => {
  const path = String(emulationOps()[0]?.fields[0]);
  assert.equal(emulationEnv(['PATH=/bin']), ['PATH=/bin', `APT_CONFIG=${path}`]);
  assert.equal(emulationEnv(['APT_CONFIG=/mine']), ['APT_CONFIG=/mine']);
  assert.equal(emulationEnv(['APT_CONFIG=']), ['APT_CONFIG=']);
});

test.run();
