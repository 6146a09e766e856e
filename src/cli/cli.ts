import { TsboxError } from '../errors.ts';
import { suggest } from '../util/suggest.ts';
import { UnknownFlag } from './argv.ts';
import type { VerbClass } from './command.ts';
import type { CliContext, Globals } from './context.ts';
import { reportFailure } from './failure.ts';
import { type GlobalArgs, parseGlobals } from './globals.ts';
import { parseVerb } from './parse.ts';
import { ALIASES, HIDDEN, NOUNS, VERBS, verbsOfNoun } from './table.ts';

/** A verb that argv names, with the arguments left for it. */
interface Chosen {
  readonly name: string;
  readonly argv: readonly string[];
}

const NOTHING: Globals = { debug: false };

/** Runs one command line and returns the exit status. Never throws: errors become words on stderr here. */
export async function runCli(
  argv: readonly string[],
  makeContext: (globals: Globals) => CliContext,
): Promise<number> {
  let context = makeContext(NOTHING);
  try {
    const args = parseGlobals(argv);
    context = makeContext(args.globals);
    const status = await dispatch(args, context);
    await context.out.flush();
    return status;
  } catch (error) {
    return await failed(error, context);
  }
}

async function failed(error: unknown, context: CliContext): Promise<number> {
  const status = reportFailure(error, context);
  await context.err.flush().catch(() => {}); // nobody is left to tell
  return status;
}

async function dispatch(args: GlobalArgs, context: CliContext): Promise<number> {
  if (args.version) return printVersion(context);
  const [first, ...rest] = args.rest;
  if (first === undefined || args.help) return showHelp(first === undefined ? [] : args.rest, context);
  if (first === 'help') return showHelp(rest, context);
  const chosen = await choose(first, rest);
  if (!chosen) return showHelp([first], context, rest);
  return execute(chosen, await loadVerb(chosen.name), context);
}

/** `container ls -a` → `ps -a`. Undefined: a noun without a verb, which asks for its help. */
async function choose(first: string, rest: readonly string[]): Promise<Chosen | undefined> {
  const second = rest[0];
  // A directory of that name is ./prune.
  if (first === 'build' && second === 'prune') return { name: 'builder prune', argv: rest.slice(1) };
  if (Object.hasOwn(VERBS, first) || Object.hasOwn(HIDDEN, first)) return { name: first, argv: rest };
  if (!Object.hasOwn(NOUNS, first)) {
    throw await unknownCommand(first, [...Object.keys(VERBS), ...Object.keys(NOUNS)]);
  }
  if (second === undefined || second.startsWith('-')) return undefined;
  const words = `${first} ${second}`;
  const [name = words, ...extra] = ALIASES.get(words) ?? [];
  if (Object.hasOwn(VERBS, name)) return { name, argv: [...extra, ...rest.slice(1)] };
  throw await unknownCommand(second, verbsOfNoun(first), first);
}

async function unknownCommand(word: string, known: readonly string[], noun?: string): Promise<TsboxError> {
  const absent = (await import('./absent.ts')).explainVerb(word);
  if (absent) return absent;
  const names = known.filter(name => !name.includes(' '));
  const close = suggest(word, names);
  const prefix = noun === undefined ? 'tsbox' : `tsbox ${noun}`;
  const see = `'${prefix} --help' lists the commands`;
  const hint = close === undefined ? see : `did you mean '${prefix} ${close}'? ${see}`;
  return new TsboxError('USAGE', `unknown command: ${prefix} ${word}`, { hint });
}

async function loadVerb(name: string): Promise<VerbClass> {
  const load = VERBS[name] ?? HIDDEN[name];
  if (!load) throw new TsboxError('INTERNAL', `verb '${name}' is in no table`);
  return load();
}

async function execute(chosen: Chosen, verbClass: VerbClass, context: CliContext): Promise<number> {
  const parsed = await parseOrExplain(chosen, verbClass, context);
  if (parsed.help) return showHelp(chosen.name.split(' '), context);
  const { verb } = parsed;
  try {
    return await verb.validateAndExecute();
  } catch (error) {
    throw chosen.name === 'run' ? error : dockerStatus(error);
  } finally {
    await verb.reporter?.finish();
    context.interrupt.disarm();
  }
}

/** docker's status where a named thing is not there or does not allow it: 1, of every command but `run`. */
function dockerStatus(error: unknown): unknown {
  if (!(error instanceof TsboxError) || error.exitCode !== 125) return error;
  if (!['NOT_FOUND', 'CONFLICT', 'BAD_STATE'].includes(error.code)) return error;
  const { code, message, hint, cause } = error;
  return new TsboxError(code, message, { ...(hint !== undefined && { hint }), cause, exitCode: 1 });
}

/** A flag that docker has and tsbox lacks gets its reason instead of a guess. */
async function parseOrExplain(
  chosen: Chosen,
  verbClass: VerbClass,
  context: CliContext,
): Promise<ReturnType<typeof parseVerb>> {
  try {
    return parseVerb(verbClass, chosen.name, chosen.argv, context);
  } catch (error) {
    if (error instanceof UnknownFlag) throw (await import('./absent.ts')).explainFlag(error, chosen.name);
    throw error;
  }
}

async function showHelp(
  words: readonly string[],
  context: CliContext,
  rest: readonly string[] = [],
): Promise<number> {
  const { helpFor } = await import('./help.ts');
  const unknown = rest.find(word => word.startsWith('-') && word !== '--help' && word !== '-h');
  if (unknown !== undefined)
    throw new UnknownFlag(unknown, unknown, `'tsbox ${words.join(' ')} --help' lists the commands`);
  context.out.write(await helpFor(words));
  return 0;
}

async function printVersion(context: CliContext): Promise<number> {
  const { VERSION } = await import('./version.ts');
  context.out.write(`tsbox version ${VERSION}\n`);
  return 0;
}
