#!/usr/bin/env node
import { isatty } from 'node:tty';
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
    isTerminal: fd => isatty(fd),
    terminalSize,
    now: () => Date.now(),
  };
}

/** Only asked for when stderr is a terminal; Node keeps the size current. */
function terminalSize(): { columns: number; rows: number } {
  if (!isatty(2)) return { columns: 80, rows: 24 };
  return { columns: process.stderr.columns || 80, rows: process.stderr.rows || 24 };
}

// Handles that are still open (keep-alive sockets of a registry, the terminal) must not hold back a finished command.
runCli(process.argv.slice(2), makeContext).then(status => process.exit(status));
