import { TsboxError } from '../errors.ts';
import { type Grammar, longest, type Scanned, scan } from './argv.ts';
import { CommandBuilder, NoLimits, type RunState } from './clipanion.ts';
import type { Operands, Verb, VerbClass } from './command.ts';
import type { CliContext } from './context.ts';
import { Declared, metaOf, type OptionMeta } from './options.ts';

/** A field that clipanion's Option made, seen from outside. */
interface Field {
  definition(builder: CommandBuilder<object>, key: string): void;
  transformer(builder: CommandBuilder<object>, key: string, state: RunState, context: CliContext): unknown;
}

const isField = (value: unknown): value is Field =>
  typeof value === 'object' && value !== null && 'definition' in value && 'transformer' in value;

export interface Parsed {
  readonly verb: Verb;
  readonly help: boolean;
}

/** Options of a verb, in the order of their declaration. */
export function optionsOf(verb: VerbClass): OptionMeta[] {
  return Object.values(new verb()).flatMap(field => metaOf(field) ?? []);
}

/** Parses a verb's own arguments into a command that is ready to execute. Throws TsboxError USAGE. */
export function parseVerb(
  verb: VerbClass,
  name: string,
  argv: readonly string[],
  context: CliContext,
): Parsed {
  const command = new verb();
  command.context = context;
  const declared = Object.entries(command).filter((entry): entry is [string, Declared] =>
    isDeclared(entry[1]),
  );
  const grammar: Grammar = {
    options: declared.map(([, option]) => option.meta),
    usage: `tsbox ${name}`,
    ...(verb.operands.rest ? { operandsBeforeRest: verb.operands.min } : {}),
  };
  const scanned = scan(argv, grammar);
  if (scanned.help) return { verb: command, help: true };
  checkCount(name, verb, scanned.operands.length);
  takeOptions(command, declared, scanned);
  fill(command, scanned);
  return { verb: command, help: false };
}

const isDeclared = (value: unknown): boolean => value instanceof Declared;

/** Options that are not given have their value; clipanion's state machine grows with the square of the others. */
function takeOptions(command: Verb, declared: readonly [string, Declared][], scanned: Scanned): void {
  const given = new Set(scanned.options.map(option => option.name));
  for (const [key, option] of declared) {
    const value = given.has(longest(option.meta.names)) ? option.make() : option.absent;
    Object.assign(command, { [key]: value });
  }
}

/** Lets clipanion's options and operands take their values. */
function fill(command: Verb, scanned: Scanned): void {
  const fields = Object.entries(command).filter((entry): entry is [string, Field] => isField(entry[1]));
  const builder = new CommandBuilder<object>(0, { binaryName: 'tsbox' });
  for (const [key, field] of fields) field.definition(builder, key);
  const state = stateOf(builder, scanned);
  for (const [key, field] of fields) {
    Object.assign(command, { [key]: field.transformer(builder, key, state, command.context) });
  }
}

/**
 * What clipanion's state machine would come to with these words. There is nothing left for it to decide: argv.ts told options
 * from operands, and the number of operands is right. Building the machine takes longer than all the rest of parsing.
 */
function stateOf({ arity }: CommandBuilder<object>, { options, operands }: Scanned): RunState {
  const trailing = operands.length - arity.trailing.length;
  const isFixed = (i: number): boolean => i < arity.leading.length || i >= trailing;
  const more = arity.extra === NoLimits ? NoLimits : true;
  return {
    candidateUsage: null,
    requiredOptions: [],
    errorMessage: null,
    ignoreOptions: false,
    options: [...options],
    path: [],
    positionals: operands.map((value, i) => ({ value, extra: isFixed(i) ? false : more })),
    remainder: null,
    selectedIndex: 0,
  };
}

function checkCount(name: string, verb: VerbClass, count: number): void {
  const { min, max } = verb.operands;
  if (count >= min && count <= max) return;
  const hint = `usage: tsbox ${name} ${verb.help.operands}`;
  throw new TsboxError('USAGE', `'tsbox ${name}' ${expected(verb.operands)}`, { hint });
}

function expected({ min, max }: Operands): string {
  const plural = (n: number): string => (n === 1 ? 'argument' : 'arguments');
  if (max === 0) return 'accepts no arguments';
  if (max === Number.POSITIVE_INFINITY) return `needs at least ${min} ${plural(min)}`;
  return min === max ? `needs ${min} ${plural(min)}` : `takes ${min} to ${max} arguments`;
}
