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

/** An option as a field declares it: clipanion's own is made when the option is given, since making fifty takes milliseconds. */
export class Declared {
  readonly meta: OptionMeta;
  /** The field's value where the option is not given. */
  readonly absent: unknown;
  readonly #make: () => unknown;

  constructor(meta: OptionMeta, absent: unknown, make: () => unknown) {
    this.meta = meta;
    this.absent = absent;
    this.#make = make;
  }

  /** clipanion's definition. */
  make(): unknown {
    return this.#make();
  }
}

/** The metadata of a command's field, if that field is an option. */
export const metaOf = (field: unknown): OptionMeta | undefined =>
  field instanceof Declared ? field.meta : undefined;

const names = (descriptor: string): string[] => descriptor.split(',');

/** A switch that is off unless given. */
export const flag = (descriptor: string, description: string, more: More = {}): boolean =>
  declare({ names: names(descriptor), description, ...more }, false, () => Option.Boolean(descriptor, false));

/** A switch whose absence means something of its own. */
export const toggle = (descriptor: string, description: string, more: More = {}): boolean | undefined =>
  declare({ names: names(descriptor), description, ...more }, undefined, () => Option.Boolean(descriptor));

/** An option with one value; the last one given counts. */
export const text = (
  descriptor: string,
  value: string,
  description: string,
  more: More = {},
): string | undefined =>
  declare<string | undefined>({ names: names(descriptor), value, description, ...more }, undefined, () =>
    Option.String(descriptor),
  );

/** An option that may be given many times. */
export const list = (descriptor: string, value: string, description: string, more: More = {}): string[] =>
  declare({ names: names(descriptor), value, description, ...more }, [], () => Option.Array(descriptor, []));

/** Until the words are read the field holds its declaration, as clipanion's commands do: to everybody else it has its type. */
const declare = <T>(meta: OptionMeta, absent: T, make: () => T): T =>
  new Declared(meta, absent, make) as unknown as T;
