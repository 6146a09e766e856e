import type { OpenOptions } from '../index.ts';
import { Command } from './clipanion.ts';
import type { Api, CliContext } from './context.ts';
import { CliReporter } from './reporter.ts';

/** Something that cannot be taken for granted: see docs/host-setup.md, *Resource limits*. */
export const DELEGATED = 'control groups are delegated to the user';

export interface ExampleFacts {
  /** It works only where this is so; help and man page say so. A test runs every example without it. */
  readonly where?: string;
  /** It is for a terminal: what a person types to answer or to end it. */
  readonly keys?: string;
  /** Exit status; default 0. */
  readonly status?: number;
  /** The shell that reads the line; default bash. */
  readonly shell?: 'zsh' | 'fish';
}

/** A line that works as it stands, as soon as the containers, images and files that it names exist. */
export type Example = readonly [what: string, line: string, facts?: ExampleFacts];

/** What `--help` and the man page show besides the options. */
export interface HelpText {
  /** `[OPTIONS] IMAGE [COMMAND] [ARG...]` */
  readonly operands: string;
  readonly summary: string;
  readonly details?: string;
  readonly examples?: readonly Example[];
}

/** How many operands a verb takes; docker's words for what is wrong are made from it. */
export interface Operands {
  readonly min: number;
  readonly max: number;
  /** The first `min` operands end the options: what follows is the container's command. */
  readonly rest?: boolean;
}

/** How a verb uses the store. */
interface OpenChoices {
  /** A Ctrl-C aborts the call, which undoes what it had begun. */
  readonly interruptible?: boolean;
  readonly quiet?: boolean;
  readonly progress?: 1 | 2;
}

/** The base of every verb: one class per file, whose `execute` is one call of the public API and its display. */
export abstract class Verb extends Command {
  declare context: CliContext;
  /** Where warnings, traces and progress go; there once the store is open. */
  reporter: CliReporter | undefined;

  /** The store, as the global options say. */
  protected async open(options: OpenChoices = {}): Promise<Api> {
    const { globals, interrupt } = this.context;
    this.reporter = new CliReporter(this.context, options);
    const request: OpenOptions = { reporter: this.reporter };
    if (globals.root !== undefined) request.root = globals.root;
    if (globals.runtimeDir !== undefined) request.runtimeDir = globals.runtimeDir;
    if (globals.config !== undefined) request.configFile = globals.config;
    if (options.interruptible) request.signal = interrupt.arm();
    return this.context.open(request);
  }

  /** A line on stdout. */
  protected print(line: string): void {
    this.context.out.write(`${line}\n`);
  }
}

/** A verb's class with what it says about itself. */
export interface VerbClass {
  new (): Verb;
  readonly help: HelpText;
  readonly operands: Operands;
}
