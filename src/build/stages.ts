import { messageOf, TsboxError } from '../errors.ts';
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from '../oci/platform.ts';
import type { Dockerfile, Instruction, SourceRange } from './instructions.ts';
import { dockerfileError } from './messages.ts';
import { nearest } from './parse-mistake.ts';
import { needsOf, triggersOf } from './stages-needs.ts';
import type { ContentSource, Stage, StageGraph } from './types.ts';
import { expandWord, type Variables } from './variables-word.ts';

export interface GraphOptions {
  readonly target?: string;
  /** `--build-arg`, values found. */
  readonly buildArgs?: Variables;
  /** What the image is for; default this machine. */
  readonly platform?: Platform;
  /** Names of `--build-context`: they come before stages' and images'. */
  readonly contexts?: ReadonlySet<string>;
}

/** Which stages there are, what each needs, and in which order the target's are built. Throws DOCKERFILE, NOT_FOUND for the target. */
export function stageGraph(dockerfile: Dockerfile, options: GraphOptions = {}): StageGraph {
  return new Graph(dockerfile, options).build();
}

/** TARGETPLATFORM and its like (docker's reference: Automatic platform ARGs). */
export function platformArgs(target: Platform, stage: string, build = hostPlatform()): Map<string, string> {
  const of = (prefix: string, platform: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
  return new Map([...of('TARGET', target), ...of('BUILD', build), ['TARGETSTAGE', stage]]);
}

class Graph {
  readonly #dockerfile: Dockerfile;
  readonly #options: GraphOptions;
  readonly #globals: Map<string, string>;

  constructor(dockerfile: Dockerfile, options: GraphOptions) {
    this.#dockerfile = dockerfile;
    this.#options = options;
    const target = options.platform ?? hostPlatform();
    this.#globals = platformArgs(target, options.target ?? 'default');
  }

  build(): StageGraph {
    this.#readGlobals();
    const stages = this.#stages();
    const target = this.#target(stages);
    const order = inOrder(stages, target);
    const dockerfile = this.#dockerfile;
    const sourceOf = (stage: number, from: string, instruction: Instruction): ContentSource =>
      this.#source(from, stage, instruction.range);
    return { dockerfile, stages, target, order, globals: this.#globals, sourceOf };
  }

  /** ARGs before the first FROM see those before them, and the platform's. */
  #readGlobals(): void {
    const { buildArgs } = this.#options;
    for (const instruction of this.#dockerfile.globals) {
      for (const { name, value } of instruction.declarations) {
        const found =
          buildArgs?.get(name) ?? (value === undefined ? undefined : this.#expand(value, instruction.range));
        if (found !== undefined) this.#globals.set(name, found);
      }
    }
  }

  #expand(word: string, range: SourceRange): string {
    try {
      return expandWord(word, this.#globals, { escapeChar: this.#dockerfile.directives.escape });
    } catch (error) {
      throw this.#mistake(messageOf(error), range);
    }
  }

  #stages(): Stage[] {
    const stages: Stage[] = [];
    for (const [index, parsed] of this.#dockerfile.stages.entries()) {
      const { from } = parsed;
      const image = this.#expand(from.image, from.range);
      if (image === '')
        throw this.#mistake(
          `the image ${JSON.stringify(from.image)} is empty: its variable has no value`,
          from.range,
        );
      const base = image === 'scratch' ? ({ kind: 'scratch' } as const) : this.#named(image, index);
      const platform = from.platform === undefined ? undefined : this.#platform(from.platform, from.range);
      const triggers = base.kind === 'stage' ? triggersOf(this.#dockerfile.stages[base.index]) : [];
      const sources = needsOf([...triggers, ...parsed.instructions], (name, range) =>
        this.#source(name, index, range),
      );
      stages.push({
        ...parsed,
        index,
        name: from.as ?? `stage-${index}`,
        base,
        ...(platform !== undefined && { platform }),
        needs: [
          ...new Set([base, ...sources].flatMap(source => (source.kind === 'stage' ? [source.index] : []))),
        ],
      });
    }
    return stages;
  }

  #platform(text: string, range: SourceRange): string | undefined {
    const platform = this.#expand(text, range);
    if (platform === '') return undefined;
    try {
      return formatPlatform(parsePlatform(platform));
    } catch (error) {
      throw this.#mistake(messageOf(error), range);
    }
  }

  /** A name: a context of the command line, an earlier stage, else an image. */
  #named(name: string, before: number): ContentSource {
    if (this.#options.contexts?.has(name)) return { kind: 'context', name };
    const lower = name.toLowerCase();
    const index = this.#dockerfile.stages.findLastIndex(({ from }, i) => i < before && from.as === lower);
    return index >= 0 ? { kind: 'stage', index } : { kind: 'image', reference: name };
  }

  /** `--from`: a name or the number of an earlier stage. */
  #source(from: string, stage: number, range: SourceRange): ContentSource {
    const found = this.#named(from, stage);
    if (found.kind !== 'image') return found;
    if (/^\d+$/.test(from)) {
      if (Number(from) < stage) return { kind: 'stage', index: Number(from) };
      throw this.#mistake(`there is no stage ${from} before this one`, range);
    }
    if (from === '') throw this.#mistake('--from is empty', range);
    const later = this.#dockerfile.stages.findIndex(({ from: { as } }) => as === from.toLowerCase());
    if (later === stage) throw this.#mistake(`the stage ${from} cannot take files from itself`, range);
    if (later > stage)
      throw this.#mistake(`the stage ${from} comes later: a stage takes files from earlier ones`, range);
    return found;
  }

  #target(stages: readonly Stage[]): number {
    const { target } = this.#options;
    if (target === undefined || target === '') return stages.length - 1;
    const byName = stages.findLastIndex(stage => stage.from.as === target.toLowerCase());
    if (byName >= 0) return byName;
    if (/^\d+$/.test(target) && Number(target) < stages.length) return Number(target);
    const names = stages.flatMap(stage => stage.from.as ?? []);
    const near = nearest(target, names);
    throw new TsboxError('NOT_FOUND', `${this.#dockerfile.file} has no stage ${JSON.stringify(target)}`, {
      hint: near
        ? `did you mean ${near}?`
        : `it has ${names.length > 0 ? names.join(', ') : 'no stages with names'}`,
    });
  }

  #mistake(message: string, range: SourceRange): TsboxError {
    const { file, text } = this.#dockerfile;
    return dockerfileError(file, [{ message, suggestion: undefined, range }], text);
  }
}

/** A stage needs earlier ones only, so the order of the file serves; the target, which nothing needs, is last. */
function inOrder(stages: readonly Stage[], target: number): number[] {
  const needed = new Set([target]);
  for (let i = target; i >= 0; i--)
    if (needed.has(i)) for (const need of stages[i]?.needs ?? []) needed.add(need);
  return [...needed].sort((a, b) => a - b);
}
