import { TsboxError } from '../errors.ts';
import type {
  AddInstruction,
  ArgInstruction,
  CopyInstruction,
  Heredoc,
  Instruction,
} from './instructions.ts';
import { type ExpandOptions, expandWord, expandWords, type Variables } from './variables-word.ts';

export interface Expansion extends ExpandOptions {
  readonly variables: Variables;
  /** Those that replace an ARG's default: it is not even looked at. */
  readonly buildArgs: Variables;
}

/** Which instructions docker expands, and where in them (docker's reference: Environment replacement). The shell does it for RUN and CMD. */
export function expandInstruction<T extends Instruction>(instruction: T, expansion: Expansion): T {
  return expandAny(instruction, expansion) as T;
}

function expandAny(instruction: Instruction, expansion: Expansion): Instruction {
  const word = (text: string): string => expandWord(text, expansion.variables, expansion);
  switch (instruction.keyword) {
    case 'ENV':
    case 'LABEL':
      return {
        ...instruction,
        pairs: instruction.pairs.map(pair => ({ name: named(word(pair.name)), value: word(pair.value) })),
      };
    case 'ARG':
      return expandArg(instruction, expansion, word);
    case 'COPY':
    case 'ADD':
      return expandCopy(instruction, expansion, word);
    case 'WORKDIR':
    case 'USER':
    case 'STOPSIGNAL':
      return { ...instruction, value: word(instruction.value) };
    case 'VOLUME':
      return { ...instruction, values: instruction.values.map(word) };
    case 'EXPOSE':
      return {
        ...instruction,
        values: instruction.values
          .flatMap(text => expandWords(text, expansion.variables, expansion))
          .flatMap(portRange),
      };
    default:
      return instruction;
  }
}

/** Each declaration sees those before it in the same line. */
function expandArg(
  instruction: ArgInstruction,
  expansion: Expansion,
  word: (text: string) => string,
): ArgInstruction {
  const variables = new Map(expansion.variables);
  const declarations = instruction.declarations.map(({ name: written, value }) => {
    const name = named(word(written));
    if (value === undefined) return { name };
    const found = expansion.buildArgs.get(name) ?? expandWord(value, variables, expansion);
    variables.set(name, found);
    return { name, value: found };
  });
  return { ...instruction, declarations };
}

function expandCopy<T extends CopyInstruction | AddInstruction>(
  instruction: T,
  expansion: Expansion,
  word: (text: string) => string,
): T {
  const { chown, chmod } = instruction;
  // Quotes belong to the file; a backslash still protects a "$".
  const content = (file: Heredoc): string =>
    file.expand
      ? expandWord(file.content, expansion.variables, { ...expansion, escapeChar: '\\', literalQuotes: true })
      : file.content;
  return {
    ...instruction,
    sources: instruction.sources.map(word),
    target: word(instruction.target),
    exclude: instruction.exclude.map(word),
    files: instruction.files.map(file => ({ ...file, content: content(file) })),
    ...(chown !== undefined && { chown: word(chown) }),
    ...(chmod !== undefined && { chmod: word(chmod) }),
    ...(instruction.keyword === 'ADD' &&
      instruction.checksum !== undefined && { checksum: word(instruction.checksum) }),
  };
}

function named(name: string): string {
  if (name === '') throw new TsboxError('DOCKERFILE', 'a name is empty');
  return name;
}

/** `80`, `80/udp`, `8000-8010` → `80/tcp` and so on. */
function portRange(text: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (!match || last > 65_535 || last < first) {
    throw new TsboxError(
      'DOCKERFILE',
      `${JSON.stringify(text)} is not a port (1 to 65535, with /tcp, /udp or /sctp)`,
    );
  }
  const protocol = match[3]?.toLowerCase() ?? 'tcp';
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol}`);
}
