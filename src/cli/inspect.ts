import type { CliContext } from './context.ts';
import { ReportedFailure, reportOne } from './failure.ts';
import type { Value } from './format/template/values.ts';
import { printable, printableJson } from './printable.ts';

/** Prints objects as one JSON array, or each through a template; names that are not there are reported, status 1. */
export async function printInspected(
  context: CliContext,
  names: readonly string[],
  find: (name: string) => Promise<object>,
  format: string | undefined,
): Promise<void> {
  const found = await Promise.allSettled(names.map(find));
  const objects = found.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
  await printObjects(context, objects, format);
  const errors = found.flatMap(result => (result.status === 'rejected' ? [result.reason] : []));
  for (const error of errors) reportOne(error, context);
  if (errors.length > 0) throw new ReportedFailure();
}

async function printObjects(
  context: CliContext,
  objects: object[],
  format: string | undefined,
): Promise<void> {
  if (format === undefined || format === '') context.out.write(`${printableJson(objects, 4)}\n`);
  else for (const object of objects) context.out.write(`${await formatted(object, format)}\n`);
}

/** One object as JSON or through a template. */
export async function formatted(object: object, format: string): Promise<string> {
  if (format === 'json') return printableJson(object);
  const { compileTemplate } = await import('./format/template/index.ts');
  // JSON and back: what the engine leaves undefined is absent, as it is in the JSON that users look at.
  const plain = JSON.parse(JSON.stringify(object)) as Value;
  const { withTypedNils } = await import('./format/template/nil.ts');
  return printable(compileTemplate(format)(withTypedNils(plain)));
}
