import { Option } from './clipanion.ts';

/** What help and argv.ts know about an option, kept beside clipanion's own definition. */
export interface OptionMeta {
  /** All spellings, `-d` and `--detach`. */
  readonly names: readonly string[];
  /** Placeholder of the value (`NAME`); absent for a switch. */
  readonly value?: string;
  readonly description: string;
  /** Heading in `--help`; absent: the plain list. */
  readonly group?: string;
  readonly hidden?: boolean;
}

interface More {
  group?: string;
  hidden?: boolean;
}

const META = Symbol('tsbox option');

const remember = <T>(option: T, meta: OptionMeta): T =>
  Object.assign(option as object, { [META]: meta }) as T;

/** The metadata of a command's field, if that field is an option. */
export function metaOf(field: unknown): OptionMeta | undefined {
  if (typeof field !== 'object' || field === null || !(META in field)) return undefined;
  return field[META] as OptionMeta;
}

const names = (descriptor: string): string[] => descriptor.split(',');

/** A switch that is off unless given. */
export const flag = (descriptor: string, description: string, more: More = {}): boolean =>
  remember(Option.Boolean(descriptor, false), { names: names(descriptor), description, ...more });

/** A switch whose absence means something of its own. */
export const toggle = (descriptor: string, description: string, more: More = {}): boolean | undefined =>
  remember(Option.Boolean(descriptor), { names: names(descriptor), description, ...more });

/** An option with one value; the last one given counts. */
export const text = (
  descriptor: string,
  value: string,
  description: string,
  more: More = {},
): string | undefined =>
  remember(Option.String(descriptor), { names: names(descriptor), value, description, ...more });

/** An option that may be given many times. */
export const list = (descriptor: string, value: string, description: string, more: More = {}): string[] =>
  remember(Option.Array(descriptor, []), { names: names(descriptor), value, description, ...more });
