import { TsboxError } from '../errors.ts';
import type { CliContext } from './context.ts';
import { OutputClosed } from './output.ts';
import { printable } from './printable.ts';

/** Some names of a command failed; each was reported already. Carries only the status. */
export class ReportedFailure extends Error {
  readonly exitCode: number;
  constructor(exitCode = 1) {
    super('reported');
    this.exitCode = exitCode;
  }
}

/** Where errors become words and statuses: `tsbox: message`, the hint below it, with --debug the chain of causes. */
export function reportFailure(
  error: unknown,
  context: Pick<CliContext, 'err' | 'globals' | 'interrupt'>,
): number {
  if (error instanceof ReportedFailure) return error.exitCode;
  if (error instanceof OutputClosed) return 0;
  const signal = context.interrupt.signal;
  context.err.write(failureText(error, context.globals.debug, signal));
  if (signal > 0) return 128 + signal;
  return error instanceof TsboxError ? error.exitCode : 125;
}

/** One name of several that failed. */
export function reportOne(error: unknown, context: Pick<CliContext, 'err' | 'globals'>): void {
  if (error instanceof OutputClosed) throw error;
  context.err.write(failureText(error, context.globals.debug));
}

export function failureText(error: unknown, debug: boolean, signal = 0): string {
  if (signal > 0 && isAbort(error) && !debug) return 'tsbox: interrupted\n';
  const lines = error instanceof TsboxError ? known(error) : unexpected(error);
  if (debug) lines.push(...chain(error));
  return `${printable(lines.join('\n'))}\n`;
}

const isAbort = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'AbortError' || (error instanceof TsboxError && error.code === 'ABORTED'));

function known(error: TsboxError): string[] {
  const hint = error.hint === undefined ? [] : [`  hint: ${error.hint.split('\n').join('\n        ')}`];
  return [`tsbox: ${error.message}`, ...hint];
}

/** No room let a foreign error through on purpose: this is a bug, and says how to show it. */
function unexpected(error: unknown): string[] {
  const message = error instanceof Error ? error.message : String(error);
  return [
    `tsbox: ${message}`,
    '  hint: this is unexpected; run again with --debug and report what it prints',
  ];
}

function chain(error: unknown): string[] {
  const lines: string[] = [];
  for (let e: unknown = error, depth = 0; e instanceof Error && depth < 10; e = e.cause, depth++) {
    const code = e instanceof TsboxError ? ` [${e.code}]` : '';
    lines.push(`${depth === 0 ? 'debug:' : 'caused by:'}${code} ${e.stack ?? e.message}`);
  }
  return lines;
}
