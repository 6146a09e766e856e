import type { Instruction, ParsedStage, SourceRange } from './instructions.ts';
import { parseTrigger } from './parse.ts';
import type { ContentSource } from './types.ts';

/** Where the instructions of a stage take files from. Triggers are of another build: only their form is looked at. */
export function needsOf(
  instructions: readonly Instruction[],
  source: (name: string, range: SourceRange) => ContentSource,
): ContentSource[] {
  return instructions.flatMap(instruction =>
    namesOf(instruction).map(name => source(name, instruction.range)),
  );
}

function namesOf(instruction: Instruction): string[] {
  if (instruction.keyword === 'COPY') return instruction.from === undefined ? [] : [instruction.from];
  if (instruction.keyword === 'RUN') return instruction.mounts.flatMap(mountFrom);
  return [];
}

/** `from` never holds variables, so the text is enough. */
function mountFrom(mount: string): string[] {
  const match = /(?:^|,)\s*from=([^,"]*)/i.exec(mount);
  return match ? [match[1] ?? ''] : [];
}

/** What a stage's ONBUILDs make of a stage that begins with it. Throws DOCKERFILE. */
export const triggersOf = (stage: ParsedStage | undefined): Instruction[] =>
  stage?.instructions.flatMap(each => (each.keyword === 'ONBUILD' ? [parseTrigger(each.trigger)] : [])) ?? [];
