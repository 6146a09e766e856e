import { posix } from 'node:path';
import { messageOf, TsboxError } from '../errors.ts';
import { quote } from '../oci/quote.ts';
import { compilePattern, type PatternTest } from './dockerignore-pattern.ts';

interface Rule {
  readonly test: PatternTest;
  /** `!`: takes back what an earlier one ignored. */
  readonly exception: boolean;
  readonly pattern: string;
}

/** What is remembered of a directory for what is in it: which rules matched it or one of its parents. */
export type ParentMatch = readonly boolean[];

/** Nothing above: the root of the context. */
export const NO_PARENT: ParentMatch = [];

/**
 * The rules of a .dockerignore, in order; the last one that matches a path or one of its parents decides. docker's semantics: patterns are
 * about the whole path from the context's root, `*` stays within a name, `**` means any number of directories.
 */
export class IgnoreRules {
  readonly #rules: readonly Rule[];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /** `path` has no slash at its ends; `parent` is what this returned for the directory it is in. */
  match(path: string, parent: ParentMatch): { ignored: boolean; match: ParentMatch } {
    let ignored = false;
    const match = this.#rules.map((rule, i) => {
      const matches = parent[i] === true || rule.test(path);
      if (matches) ignored = !rule.exception;
      return matches;
    });
    return { ignored, match };
  }

  /** Whether a path is ignored, whatever is known of its parents. */
  ignores(path: string): boolean {
    let result = { ignored: false, match: NO_PARENT };
    const parts = path.split('/');
    for (let i = 1; i <= parts.length; i++) result = this.match(parts.slice(0, i).join('/'), result.match);
    return result.ignored;
  }

  /** False when nothing below an ignored directory can be taken back. */
  mayTakeBack(directory: string): boolean {
    return this.#rules.some(({ exception, pattern }) => {
      if (!exception) return false;
      const fixed = /^[^*?[\\]*/.exec(pattern)?.[0] ?? '';
      const below = `${directory}/`;
      return fixed === pattern
        ? `${pattern}/`.startsWith(below)
        : fixed.startsWith(below) || below.startsWith(fixed);
    });
  }
}

export const NO_RULES = new IgnoreRules([]);

/** The text of a .dockerignore. Throws USAGE with the line of a pattern that cannot be read. */
export function parseIgnore(text: string, file: string): IgnoreRules {
  const lines = text.replace(/^\ufeff/, '').split('\n');
  const rules = lines.flatMap((line, i) => {
    if (line.startsWith('#')) return [];
    try {
      return ruleOf(line);
    } catch (error) {
      throw new TsboxError('USAGE', `${file}:${i + 1}: ${quote(line)} is no pattern: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  });
  return new IgnoreRules(rules);
}

/** A class that RegExp refuses is one whose range goes backwards. */
const reasonOf = (error: unknown): string =>
  error instanceof SyntaxError ? 'a range of characters in it goes backwards' : messageOf(error);

function ruleOf(line: string): Rule[] {
  const text = line.trim();
  if (text === '') return [];
  const exception = text.startsWith('!');
  const written = exception ? text.slice(1).trim() : text;
  if (written === '') throw new Error('"!" has no pattern');
  const pattern = cleaned(written);
  return [{ test: compilePattern(pattern), exception, pattern }];
}

/** Go's path.Clean, and no slash at its ends: a directory and a file of that name are matched alike. */
function cleaned(pattern: string): string {
  const normal = posix.normalize(pattern);
  const bare = normal.length > 1 ? normal.replace(/\/$/, '') : normal;
  return bare.length > 1 ? bare.replace(/^\//, '') : bare;
}
