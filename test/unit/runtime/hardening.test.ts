import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RLIMIT } from '../../../src/plan/flags.ts';
import {
  DEFAULT_RLIMITS,
  HOST_SYS_MASKED_PATHS,
  MASKED_PATHS,
  READONLY_PATHS,
} from '../../../src/runtime/hardening.ts';

const test = suite('hardening');

test("docker's masked and read-only paths are there", () => {
  for (const path of [
    '/proc/acpi',
    '/proc/asound',
    '/proc/kcore',
    '/proc/keys',
    '/proc/latency_stats',
    '/proc/timer_list',
    '/proc/sched_debug',
    '/proc/scsi',
    '/proc/interrupts',
    '/sys/firmware',
    '/sys/devices/virtual/powercap',
  ]) {
    assert.ok(MASKED_PATHS.includes(path), path);
  }
  assert.equal([...READONLY_PATHS].sort(), [
    '/proc/bus',
    '/proc/fs',
    '/proc/irq',
    '/proc/sys',
    '/proc/sysrq-trigger',
  ]);
});

test('paths are absolute, clean, and each in one list once', () => {
  const all = [...MASKED_PATHS, ...READONLY_PATHS, ...HOST_SYS_MASKED_PATHS];
  for (const path of all) assert.match(path, /^\/(proc|sys)(\/[a-z_-]+)+$/);
  assert.is(new Set(all).size, all.length);
});

test('a writable cgroup tree of the host never shows (CVE-2023-25809)', () => {
  assert.ok(HOST_SYS_MASKED_PATHS.includes('/sys/fs/cgroup'));
});

test('default limits have known names and soft values below hard ones', () => {
  for (const { name, soft, hard } of DEFAULT_RLIMITS) {
    assert.ok(name in RLIMIT, name);
    assert.ok(soft <= hard);
  }
});

test.run();
