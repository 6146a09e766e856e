import type { VerbClass } from '../command.ts';

/** Of `cli/table.ts`, given: it cannot be imported by what it loads. */
export interface Tables {
  readonly verbs: Readonly<Record<string, () => Promise<VerbClass>>>;
  readonly aliases: ReadonlyMap<string, readonly string[]>;
  readonly nouns: Readonly<Record<string, string>>;
  readonly verbsOfNoun: (noun: string) => string[];
}
