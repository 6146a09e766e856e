import { fstatSync } from 'node:fs';
import { runCli } from './cli.ts';
import type { CliContext, Globals } from './context.ts';
import { ProcessInterrupt } from './interrupt.ts';
import { FdOutput } from './output.ts';

// Until a command says otherwise this process fails: an event loop that runs empty half-way is no success.
process.exitCode = 125;

const interrupt = new ProcessInterrupt();
const out = new FdOutput(1);
const err = new FdOutput(2);

function makeContext(globals: Globals): CliContext {
  return {
    env: process.env,
    // Getters: each of these opens a stream when it is first read.
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return process.stdout;
    },
    get stderr() {
      return process.stderr;
    },
    colorDepth: 1,
    out,
    err,
    globals,
    interrupt,
    open: async options => (await import('../index.ts')).Tsbox.open(options),
    isTerminal,
    terminalSize,
    now: () => Date.now(),
  };
}

/** node:tty brings Node's network stack with it: it is loaded only for what may be a terminal. */
async function isTerminal(fd: 0 | 1 | 2): Promise<boolean> {
  return isCharacterDevice(fd) && (await import('node:tty')).isatty(fd);
}

function isCharacterDevice(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice();
  } catch {
    return false; // closed
  }
}

/** Only asked for a terminal; Node keeps the size current. */
function terminalSize(fd: 1 | 2): { columns: number; rows: number } {
  const { columns, rows } = fd === 1 ? process.stdout : process.stderr;
  return { columns: columns || 80, rows: rows || 24 };
}

// Handles that are still open (keep-alive sockets of a registry, the terminal) must not hold back a finished command.
runCli(process.argv.slice(2), makeContext).then(status => process.exit(status));
