import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { helperPath } from '../host/binaries.ts';
import { defaultRoot, environment } from '../host/paths.ts';
import { BOOT_VARIABLE } from '../host/prestarted.ts';

/** As in src/cli/boot.sh, which does the same beside Node. */
const ROLES: Readonly<Record<string, string>> = {
  run: 'supervise',
  start: 'supervise',
  exec: 'join',
  stop: 'processes',
  kill: 'processes',
  rm: 'processes',
};

/** socket(2); the numbers of x86-64 and arm64. */
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0x8_0000;

/** What `ps` shows is written over the arguments of the helper: they must have room for an id. */
const ROOM = '0'.repeat(64);

/**
 * Starts the helper that the verb will need before the program is loaded (docs/helper-protocol.md, "Started before it is asked"): it makes its
 * namespaces meanwhile, and neither node:child_process nor the streams that come with it are loaded at all. Where that fails the
 * verb starts its own, and says why it cannot.
 */
export function beginHelper(verb: string): void {
  const role = ROLES[verb];
  if (role === undefined) return;
  try {
    const helper = helperPath();
    const { dlopen } = require('bun:ffi') as typeof import('bun:ffi');
    const { socketpair } = dlopen('libc.so.6', {
      socketpair: { args: ['i32', 'i32', 'i32', 'ptr'], returns: 'i32' },
    }).symbols;
    const fds = new Int32Array(4);
    const ends = [fds.subarray(0, 2), fds.subarray(2, 4)];
    if (ends.some(pair => socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) !== 0)) return;
    const [channel = -1, itsChannel = -1, signals = -1, itsSignals = -1] = fds;
    const child = Bun.spawn({
      cmd: [helper, role, ROOM],
      argv0: 'tsbox:',
      stdio: ['inherit', 'inherit', 'inherit', itsChannel, itsSignals],
      env: { ...process.env, TSBOX_EARLY: modelPath() },
    });
    child.unref();
    for (const fd of [itsChannel, itsSignals]) closeSync(fd);
    process.env[BOOT_VARIABLE] = `${role} ${channel} ${signals} ${child.pid}`;
  } catch {}
}

const modelPath = (): string => join(environment('TSBOX_ROOT') ?? defaultRoot(), 'early');
