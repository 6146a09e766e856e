import { getSystemErrorMap } from 'node:util';
import { TsboxError } from '../errors.ts';
import { type UsernsFacts, usernsFacts } from '../host/userns-closed.ts';
import type { Field, Op } from '../plan/ops.ts';
import { headerFailure } from './failure-header.ts';
import { FAILURE_HINTS } from './failure-hints.ts';

/** What the helper reports, with the plan it walked. */
export interface Failure {
  readonly plan: string;
  readonly index: number;
  readonly errno: number;
  readonly detail: string;
  /** The operations of that plan; empty for `header`. */
  readonly ops: readonly Op[];
}

/** Turns (plan, index, errno) into a sentence: what, where, why, and what to do. `look` reads what this machine allows. */
export function describeFailure(failure: Failure, look: () => UsernsFacts = usernsFacts): TsboxError {
  if (failure.plan === 'header') return headerFailure(failure.detail, failure.errno, look);
  const op = failure.ops[failure.index];
  if (!op)
    return new TsboxError(
      'INTERNAL',
      `the helper failed at ${failure.plan} operation ${failure.index}: ${errnoText(failure.errno)}`,
    );
  if (op.name === 'exec' && failure.plan === 'resume') return execFailure(op, failure.errno);
  if (op.name === 'selfcheck' || op.name === 'idmap') return notAsAsked(failure.detail);
  const known = FAILURE_HINTS[op.name]?.(failure.errno, op.fields.map(show), look);
  const where = failure.plan === 'init' || failure.plan === 'resume' ? '' : ` for ${failure.plan}`;
  const text = `${known?.message ?? `${phrase(op)}${where}`}: ${known?.reason ?? errnoText(failure.errno)}`;
  return new TsboxError(known?.code ?? 'LAUNCH', text, {
    ...(known?.hint !== undefined && { hint: known.hint }),
    check: known?.check,
  });
}

/** The text of an errno without its name's noise: `permission denied`. */
export function errnoText(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? `errno ${errno}`;
}

/** What the helper saw when it looked back; a set-up that did not say that it failed, or a bug of ours. */
const notAsAsked = (what: string): TsboxError =>
  new TsboxError('LAUNCH', `not started: the self-check found that its ${what} would not be as asked for`, {
    hint: 'tsbox doctor tells what this machine does differently; please report it',
  });

/** Docker's statuses: 127 when there is no such program, 126 when there is but it does not run. */
function execFailure(op: Op, errno: number): TsboxError {
  const program = show(op.fields[0] ?? '');
  const name = getSystemErrorMap().get(-errno)?.[0];
  if (name === 'ENOENT' || name === 'ENOTDIR') {
    return new TsboxError('COMMAND_NOT_FOUND', `exec ${program}: not found in the container`, {
      exitCode: 127,
      hint: 'check the spelling, or that the program, its interpreter and its loader are in the image',
    });
  }
  const reason =
    name === 'ENOEXEC' ? 'not a program for this machine, or a script without #!' : errnoText(errno);
  return new TsboxError('COMMAND_NOT_EXECUTABLE', `exec ${program}: ${reason}`, { exitCode: 126 });
}

/** `mount proc on /proc`, `mkdir /a/b`: the operation as its table entry reads. */
function phrase(op: Op): string {
  const f = op.fields.map(show);
  switch (op.name) {
    case 'mount':
    case 'hostmount':
      return `mount ${f[0]} on ${f[2]}`;
    case 'bind':
    case 'hostbind':
      return `bind ${f[0]} on ${f[1]}`;
    default:
      return [op.name, ...f.slice(0, 2)].join(' ');
  }
}

const show = (field: Field): string => {
  const text = typeof field === 'string' ? field : `<${field.length} bytes>`;
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
};
