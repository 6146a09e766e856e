import { join } from 'node:path';
import { SANITIZED } from './sanitized.ts';

/**
 * The whole environment of a test: nothing of the caller's comes through but what is listed, and each pin says what would
 * happen without it.
 */
export function sealedEnv(home: string, user: string): Record<string, string> {
  return {
    // otherwise the developer's own store and configuration are used
    HOME: home,
    // otherwise sockets of the tests land beside those of real containers
    XDG_RUNTIME_DIR: join(home, 'run'),
    // otherwise `sudo` and `su` leave the name of somebody else here
    USER: user,
    LOGNAME: user,
    // otherwise shims and wrappers of the developer's shell stand before the real programs; node itself may live anywhere
    PATH: `${nodeDir()}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    // otherwise messages of libc and times in `ps` depend on the machine
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    // otherwise colours appear in what tests compare
    NO_COLOR: '1',
    TERM: 'xterm',
    SHELL: '/bin/sh',
    // otherwise root's tests use the machine's /var/lib/tsbox
    ...(user === 'root'
      ? { TSBOX_ROOT: join(home, '.local/share/tsbox'), TSBOX_RUNTIME_DIR: join(home, 'run/tsbox') }
      : {}),
    ...(SANITIZED === undefined ? {} : { TSBOX_HELPER: SANITIZED }),
    ...passedOn(),
  };
}

function nodeDir(): string {
  const dir = process.execPath.slice(0, process.execPath.lastIndexOf('/'));
  return dir === '/usr/bin' || dir === '/usr/local/bin' ? '' : `${dir}:`;
}

/** Settings of the tests themselves. NODE_EXTRA_CA_CERTS stays out: it adds 35 ms to every start of node. */
function passedOn(): Record<string, string> {
  const names = [
    'CI',
    'TSBOX_TEST_KEEP',
    'TSBOX_TEST_LONG',
    'TSBOX_TEST_CACHE',
    'TSBOX_TEST_NPM_REGISTRY',
    'TSBOX_TEST_BIN',
    'TSBOX_TEST_SANITIZED',
    'TSBOX_TEST_SEED',
    'TSBOX_DEBUG',
    'FUZZ_SECONDS',
    'FUZZ_SEED',
  ];
  return Object.fromEntries(
    names.flatMap(name => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
