import { heredocWords, readHeredocs } from './heredoc.ts';
import type {
  ArgInstruction,
  Dockerfile,
  DockerfileWarning,
  FromInstruction,
  Heredoc,
  Instruction,
  ParsedStage,
} from './instructions.ts';
import { LineReader, type LogicalLine } from './lex.ts';
import { SourceText } from './lex-source.ts';
import { dockerfileError, type Finding } from './messages.ts';
import { parseDirectives } from './parse-directives.ts';
import { splitFlags } from './parse-flags.ts';
import { parseInstruction, wrongKeyword } from './parse-instruction.ts';
import { Mistake } from './parse-mistake.ts';
import type { Request } from './parse-request.ts';

export interface ParseOptions {
  /** As messages name it; default `Dockerfile`. */
  readonly file?: string;
}

/** The text of a Dockerfile → its instructions. Throws DOCKERFILE with every mistake of the file. */
export function parseDockerfile(text: string, options: ParseOptions = {}): Dockerfile {
  return new Parser(text, options.file ?? 'Dockerfile').parse();
}

/** The trigger of an ONBUILD, as it stands in an image's config. Throws DOCKERFILE. */
export function parseTrigger(text: string): Instruction {
  const { stages } = new Parser(`FROM scratch\n${text}\n`, 'ONBUILD').parse();
  const [instruction, ...more] = stages.flatMap(stage => stage.instructions);
  if (instruction && more.length === 0 && stages.length === 1 && instruction.keyword !== 'ONBUILD')
    return instruction;
  throw dockerfileError(
    'ONBUILD',
    [{ message: 'a trigger is one instruction, not FROM or ONBUILD', suggestion: undefined }],
    undefined,
  );
}

class Parser {
  readonly #source: SourceText;
  readonly #file: string;
  readonly #findings: Finding[] = [];
  readonly #warnings: DockerfileWarning[] = [];
  readonly #globals: ArgInstruction[] = [];
  #sawFrom = false;
  readonly #stages: { from: FromInstruction; instructions: Instruction[] }[] = [];

  constructor(text: string, file: string) {
    this.#source = new SourceText(text);
    this.#file = file;
  }

  parse(): Dockerfile {
    const directives = parseDirectives(this.#source, finding => this.#findings.push(finding));
    const reader = new LineReader(this.#source, directives.escape);
    for (let line = reader.next(); line; line = reader.next()) this.#read(line, reader, directives.escape);
    if (this.#stages.length === 0 && this.#findings.length === 0)
      this.#findings.push({
        message: 'there is no FROM: a Dockerfile needs at least one',
        suggestion: undefined,
      });
    if (this.#findings.length > 0) throw dockerfileError(this.#file, this.#findings, this.#source);
    const [globals, stages, warnings]: [ArgInstruction[], ParsedStage[], DockerfileWarning[]] = [
      this.#globals,
      this.#stages,
      this.#warnings,
    ];
    return { file: this.#file, text: this.#source.text, directives, globals, stages, warnings };
  }

  #read(line: LogicalLine, reader: LineReader, escapeChar: string): void {
    try {
      const request = this.#request(line, reader, escapeChar);
      const fields = parseInstruction(request);
      const end = request.heredocs.length > 0 ? reader.at : line.end;
      this.#place(line, { ...fields, ...this.#common(line, request.heredocs, end) } as
        | Instruction
        | FromInstruction);
    } catch (error) {
      if (!(error instanceof Mistake)) throw error;
      const { message, suggestion, from = 0, to } = error;
      // What follows a broken FROM stands in its stage.
      this.#sawFrom ||= /^from\s/i.test(line.joined) || suggestion === 'FROM';
      this.#findings.push({
        message,
        suggestion,
        range: line.range(from, to ?? line.joined.trimEnd().length),
      });
    }
  }

  #request(line: LogicalLine, reader: LineReader, escapeChar: string): Request {
    const joined = line.joined.trimEnd();
    const [, word = '', gap = ''] = /^(\S+)(\s*)/.exec(joined) ?? [];
    const keyword = word.toUpperCase();
    const base = word.length + gap.length;
    const operands = joined.slice(base);
    const { flags, rest } = splitFlags(operands, base, escapeChar);
    const text = operands.slice(rest).trimStart();
    const at = joined.length - text.length;
    const wrong = wrongKeyword(word);
    // The lines of a mistyped RUN's heredoc are no instructions either.
    const heredocs = this.#heredocs(wrong?.suggestion ?? keyword, text, at, reader);
    const warn = (message: string, from = 0, to = joined.length): void => {
      this.#warnings.push({ message, range: line.range(from, to) });
    };
    if (line.hasEmpty) warn('an empty line within an instruction');
    if (wrong) throw wrong;
    return { line, escapeChar, keyword, flagWords: flags, rest: text, at, heredocs, warn };
  }

  /** Only these three have heredocs, also as triggers; a JSON array is no line with words. */
  #heredocs(keyword: string, rest: string, at: number, reader: LineReader): Heredoc[] {
    const [, trigger = ''] = keyword === 'ONBUILD' ? (/^(\S+)/.exec(rest) ?? []) : [keyword, keyword];
    if (!['RUN', 'COPY', 'ADD'].includes(trigger.toUpperCase()) || rest.startsWith('[')) return [];
    return readHeredocs(reader, heredocWords(rest, at));
  }

  #common(line: LogicalLine, heredocs: readonly Heredoc[], end: number) {
    const { source, joined, start } = line;
    const stop = end > line.end ? end - (source.text[end - 1] === '\n' ? 1 : 0) : end;
    const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(joined.trimEnd()) ?? [];
    const text = `${word.toUpperCase()}${rest === '' ? '' : ` ${rest}`}`;
    return { range: source.range(start, stop), original: source.text.slice(start, stop), text, heredocs };
  }

  #place(line: LogicalLine, instruction: Instruction | FromInstruction): void {
    if (instruction.keyword === 'FROM') {
      this.#stages.push({ from: instruction, instructions: [] });
      return;
    }
    const stage = this.#stages.at(-1);
    if (stage) stage.instructions.push(instruction);
    else if (instruction.keyword === 'ARG') this.#globals.push(instruction);
    else if (!this.#sawFrom) {
      const message = `${instruction.keyword} stands before the first FROM: only ARG may`;
      this.#findings.push({
        message,
        suggestion: undefined,
        range: line.range(0, instruction.keyword.length),
      });
    }
  }
}
