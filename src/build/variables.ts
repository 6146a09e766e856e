import { messageOf } from '../errors.ts';
import type { Dockerfile, Instruction, RunInstruction, RunMount, SourceRange } from './instructions.ts';
import { dockerfileError } from './messages.ts';
import { Mistake } from './parse-mistake.ts';
import { parseMounts } from './parse-mounts.ts';
import { expandInstruction } from './variables-expand.ts';
import { expandWord, type Variables } from './variables-word.ts';

/** docker's proxy arguments: given to RUN without an ARG, and part of neither history nor cache. */
export const PROXY_ARGS: readonly string[] = ['HTTP', 'HTTPS', 'FTP', 'NO', 'ALL'].flatMap(name => [
  `${name}_PROXY`,
  `${name.toLowerCase()}_proxy`,
]);

/** What a stage begins with. */
export interface ScopeOptions {
  readonly dockerfile: Pick<Dockerfile, 'file' | 'text' | 'directives'>;
  /** `NAME=value` of the base image. */
  readonly env: readonly string[];
  /** ARGs before the first FROM and the platform's (`StageGraph.globals`). */
  readonly globals: Variables;
  /** `--build-arg`, values found. */
  readonly buildArgs: Variables;
  /** Told of each variable that is used and has no value. */
  readonly onUnset?: (name: string, range: SourceRange) => void;
}

/**
 * The variables of one stage while it is built: ENV and the ARGs declared so far. ENV wins over an ARG of the same name, wherever it stands
 * (docker's reference: Using ARG variables). Call `resolve` on each instruction in order, then `apply` on what it returned.
 */
export class StageScope {
  readonly #options: ScopeOptions;
  readonly #env: Map<string, string>;
  readonly #args = new Map<string, string>();

  constructor(options: ScopeOptions) {
    this.#options = options;
    this.#env = new Map(options.env.map(splitPair));
  }

  /** The instruction with its words expanded. An ARG's default only when no build argument replaces it. Throws DOCKERFILE. */
  resolve<T extends Instruction>(instruction: T): T {
    return this.#placed(instruction, () => expandInstruction(instruction, this.#expansion(instruction)));
  }

  /** The mounts of a RUN. Throws DOCKERFILE. */
  mounts(run: RunInstruction): RunMount[] {
    const { variables, ...options } = this.#expansion(run);
    return this.#placed(run, () => parseMounts(run.mounts, word => expandWord(word, variables, options)));
  }

  /** Takes over what a resolved ARG or ENV says; nothing for the others. */
  apply(instruction: Instruction): void {
    if (instruction.keyword === 'ENV')
      for (const { name, value } of instruction.pairs) this.#env.set(name, value);
    if (instruction.keyword !== 'ARG') return;
    const { buildArgs, globals } = this.#options;
    for (const { name, value } of instruction.declarations) {
      const found = buildArgs.get(name) ?? value ?? globals.get(name);
      if (found !== undefined) this.#args.set(name, found);
    }
  }

  /** `NAME=value` of ENV, the base image's first. */
  get env(): string[] {
    return [...this.#env].map(([name, value]) => `${name}=${value}`);
  }

  /** Declared ARGs that have a value, in order of declaration. */
  get args(): Variables {
    return this.#args;
  }

  /** Everything `$name` may stand for. */
  get variables(): Variables {
    return new Map([...this.#args, ...this.#env]);
  }

  /** `NAME=value` for the process of a RUN: proxies, ARGs, ENV; later ones win. */
  runEnvironment(): string[] {
    const proxies = PROXY_ARGS.flatMap(name => {
      const value = this.#options.buildArgs.get(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    const all = new Map([...proxies, ...this.variables]);
    return [...all].map(([name, value]) => `${name}=${value}`);
  }

  #expansion({ range }: Instruction) {
    const { dockerfile, buildArgs, onUnset } = this.#options;
    return {
      variables: this.variables,
      buildArgs,
      escapeChar: dockerfile.directives.escape,
      ...(onUnset && { onUnset: (name: string) => onUnset(name, range) }),
    };
  }

  /** What a word throws gets the place of its instruction. */
  #placed<T>({ range }: Instruction, work: () => T): T {
    try {
      return work();
    } catch (error) {
      const { file, text } = this.#options.dockerfile;
      const suggestion = error instanceof Mistake ? error.suggestion : undefined;
      throw dockerfileError(file, [{ message: messageOf(error), suggestion, range }], text);
    }
  }
}

export function splitPair(pair: string): [string, string] {
  const at = pair.indexOf('=');
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
}
