// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the words of Dockerfiles
import * as assert from 'node:assert/strict';
import { parseIgnore } from '../../src/build/dockerignore.ts';
import type { FromInstruction, Instruction } from '../../src/build/instructions.ts';
import { parseDockerfile } from '../../src/build/parse.ts';
import { stageGraph } from '../../src/build/stages.ts';
import { StageScope } from '../../src/build/variables.ts';
import { TsboxError } from '../../src/errors.ts';
import { allowed, type Target } from './target.ts';

/** What a build reads of strangers: a Dockerfile as far as its words, and the rules of a .dockerignore. */
function dockerfile(input: Buffer): void {
  refused(() => {
    const parsed = parseDockerfile(input.toString());
    for (const { from, instructions } of parsed.stages)
      for (const instruction of [from, ...instructions]) assertPlace(parsed.text, instruction);
    const graph = stageGraph(parsed, { buildArgs: new Map([['B', 'given']]) });
    for (const index of graph.order)
      for (const need of graph.stages[index]?.needs ?? [])
        assert.ok(need < index && graph.order.includes(need));
    for (const { instructions } of graph.stages) resolveAll(parsed, instructions, graph.globals);
  });
}

/** All mistakes of a file are told at once, so the message may be long. */
function refused(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof TsboxError) || error.code === 'INTERNAL') throw error;
    assert.ok(error.message.length < 12_000, `a message of ${error.message.length} characters`);
    assert.ok(
      !/(?![\t\n])\p{Cc}/u.test(error.message),
      `control characters: ${JSON.stringify(error.message)}`,
    );
  }
}

function assertPlace(text: string, { range, original }: Instruction | FromInstruction): void {
  assert.equal(text.slice(range.start.offset, range.end.offset), original);
  assert.equal(text.slice(0, range.start.offset).split('\n').length, range.start.line);
}

function resolveAll(
  parsed: ReturnType<typeof parseDockerfile>,
  instructions: readonly Instruction[],
  globals: ReadonlyMap<string, string>,
): void {
  const scope = new StageScope({
    dockerfile: parsed,
    env: ['PATH=/bin', 'x=value'],
    globals,
    buildArgs: new Map(),
  });
  for (const instruction of instructions) {
    const resolved = scope.resolve(instruction);
    assert.equal(resolved.keyword, instruction.keyword);
    if (resolved.keyword === 'RUN') scope.mounts(resolved);
    scope.apply(resolved);
  }
  for (const pair of scope.runEnvironment()) assert.ok(pair.indexOf('=') > 0, pair);
}

const SEED = [
  '# syntax=docker/dockerfile:1',
  'ARG V=1',
  'FROM --platform=$BUILDPLATFORM busybox:${V:-2} AS base',
  'RUN --mount=type=cache,target=/c,id=a --network=none echo a \\',
  '# comment',
  '  b',
  'RUN <<EOF cat >/x',
  'text $x',
  'EOF',
  'COPY --chown=1:2 --exclude=*.c <<-"F" a b/ /d/',
  '\tcontent',
  '\tF',
  'ENV a=b "c d"=${x%%e} e=${x/a/b}',
  'HEALTHCHECK --interval=5s CMD ["x"]',
  'FROM base',
  'COPY --from=base /a /b',
  'ONBUILD RUN x',
  'EXPOSE 80-82/udp',
].join('\n');

const WORDS = [
  'FROM ',
  'RUN ',
  'COPY ',
  'ENV ',
  'ARG ',
  'ADD ',
  '\n',
  '\\\n',
  '\r\n',
  '<<EOF',
  '\nEOF\n',
  '<<-',
  '["',
  '"]',
  '--mount=',
  '--from=',
  '${',
  ':-',
  '##',
  '%%',
  '//',
  '}',
  "'",
  '"',
  '\\',
  '# escape=`\n',
  '\ufeff',
  '=',
  '$x',
];

export const BUILD_TARGETS: Readonly<Record<string, Target>> = {
  dockerfile: {
    run: dockerfile,
    words: WORDS,
    seeds: [Buffer.from(SEED), Buffer.from('FROM scratch\nENV a b\nVOLUME ["/a"]\n')],
  },
  dockerignore: {
    run: input =>
      allowed(() => {
        const rules = parseIgnore(input.toString(), '.dockerignore');
        for (const path of ['a', 'a/b', 'a/b/c.md', 'é/x']) rules.ignores(path);
        rules.mayTakeBack('a');
      }),
    words: ['**', '**/', '/', '!', '#', '[a-', ']', '\\', '?', '\n', '[^'],
    seeds: [Buffer.from('a/**/b\n!a/[a-c]\n# x\n**/*.md\n'), Buffer.from('*\n!**/x?\n')],
  },
};
