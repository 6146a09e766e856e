import type { CliContext } from '../context.ts';
import { printable, printableJson } from '../printable.ts';
import { columns } from './table.ts';
import type { Value } from './template/values.ts';

/** One kind of row (`ps`, `images` …): its fields by docker's template names, and which of them a table shows. */
export interface ListShape {
  /** Name in a template → heading of the column. */
  readonly headings: Readonly<Record<string, string>>;
  /** Fields of the table without --format. */
  readonly columns: readonly string[];
}

export type Row = Readonly<Record<string, Value>>;

/** Prints rows as a table, as JSON lines, or through a Go template, with docker's `table ` prefix. */
export async function printList(
  context: Pick<CliContext, 'out'>,
  shape: ListShape,
  rows: readonly Row[],
  format: string | undefined,
): Promise<void> {
  if (format === undefined || format === '' || format === 'table') context.out.write(plainTable(shape, rows));
  else if (format === 'json') context.out.write(rows.map(row => `${printableJson(jsonRow(row))}\n`).join(''));
  else context.out.write(await templated(shape, rows, format));
}

function plainTable(shape: ListShape, rows: readonly Row[]): string {
  const head = shape.columns.map(name => shape.headings[name] ?? name);
  const body = rows.map(row => shape.columns.map(name => String(row[name] ?? '')));
  return columns([head, ...body], 7);
}

async function templated(shape: ListShape, rows: readonly Row[], format: string): Promise<string> {
  const { compileTemplate, HEADER_FUNCTIONS } = await import('./template/index.ts');
  const asTable = /^table(\s|$)/.test(format);
  const source = (asTable ? format.slice('table'.length).trim() : format)
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n');
  const template = compileTemplate(source);
  if (!asTable) return rows.map(row => `${printable(template(row))}\n`).join('');
  const head = compileTemplate(source, HEADER_FUNCTIONS)(headerRow(shape));
  return columns(
    [head, ...rows.map(row => template(row))].map(text => text.split('\t')),
    7,
  );
}

const headerRow = (shape: ListShape): Row => ({ ...shape.headings, Label: (name: Value) => String(name) });

/** What `{{json .}}` and `--format json` show: every field, sorted, without the functions. */
function jsonRow(row: Row): Record<string, Value> {
  const fields = Object.entries(row).filter(([, value]) => typeof value !== 'function');
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}
