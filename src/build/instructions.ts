/**
 * A Dockerfile as values: what the parser (parse.ts) makes of the text and what the executor walks. Words are as written, quotes and
 * `$variables` included, until `StageScope.resolve` (variables.ts) gives the same instruction with its words expanded.
 */

/** A place in the text. */
export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** From 0, in UTF-16 units of the whole text. */
  readonly offset: number;
}

/** `end` is the place after the last character. */
export interface SourceRange {
  /** Its first character. */
  readonly start: Position;
  /** The place behind its last character. */
  readonly end: Position;
}

/** `<<EOF`, `<<-EOF`, `<<"EOF"`. */
export interface Heredoc {
  readonly name: string;
  /** The lines between, each with its newline; with `<<-` without their leading tabs. */
  readonly content: string;
  /** False when the name was quoted: `$x` stays as it is. */
  readonly expand: boolean;
  /** `<<-`. */
  readonly stripTabs: boolean;
  /** Of the lines between. */
  readonly range: SourceRange;
}

/** What RUN, CMD, ENTRYPOINT and a health check execute. */
export interface Command {
  /** True: one word, a line for the shell of the stage. False: the words of the exec form. */
  readonly shell: boolean;
  readonly words: readonly string[];
}

interface Common {
  /** From the keyword to the end of the last line, heredocs included. */
  readonly range: SourceRange;
  /** As written: continuations, comments and all. */
  readonly original: string;
  /** On one line, keyword in capitals, flags included: what histories and progress show. */
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
}

export interface FromInstruction extends Common {
  readonly keyword: 'FROM';
  readonly image: string;
  /** Lower case. */
  readonly as?: string;
  readonly platform?: string;
}

export interface ArgDeclaration {
  readonly name: string;
  /** Absent: no default. */
  readonly value?: string;
}

export interface ArgInstruction extends Common {
  readonly keyword: 'ARG';
  readonly declarations: readonly ArgDeclaration[];
}

export interface Pair {
  readonly name: string;
  readonly value: string;
}

export interface PairsInstruction extends Common {
  readonly keyword: 'ENV' | 'LABEL';
  readonly pairs: readonly Pair[];
}

/** One `--mount` with its variables expanded and docker's defaults filled in. */
export interface RunMount {
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
  /** A stage, a named context or an image; absent: the context (bind), an empty directory (cache). */
  readonly from?: string;
  /** Inside `from`; `/` is its root. */
  readonly source?: string;
  /** As written; a relative one is beneath the working directory. Absent: the default of secret and ssh. */
  readonly target?: string;
  /** bind: default true. cache: default false. */
  readonly readOnly: boolean;
  /** cache: default the cleaned target. secret: default the name of the target. ssh: default `default`. */
  readonly id?: string;
  /** cache: default `shared`. */
  readonly sharing?: 'shared' | 'private' | 'locked';
  /** secret, ssh: an absent one is an error. */
  readonly required: boolean;
  /** secret: the variable that gets it. */
  readonly env?: string;
  /** cache 0755, secret 0400, ssh 0600 unless said. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** tmpfs: bytes. */
  readonly size?: number;
}

export interface RunInstruction extends Common {
  readonly keyword: 'RUN';
  readonly command: Command;
  /** The RUN is one heredoc that begins with `#!`: an executable file of this content is run in place of `command`. */
  readonly script?: Heredoc;
  /** The `--mount` values as written; `StageScope.mounts` (variables.ts) makes RunMounts of them. */
  readonly mounts: readonly string[];
  readonly network?: 'default' | 'none' | 'host';
  readonly security?: 'sandbox' | 'insecure';
}

interface CopyLike extends Common {
  /** Paths, globs and for ADD URLs, in order; a heredoc is not among them. */
  readonly sources: readonly string[];
  readonly target: string;
  /** Files whose content stands in the Dockerfile, by name. Resolved: their `content` is expanded. */
  readonly files: readonly Heredoc[];
  readonly chown?: string;
  readonly chmod?: string;
  readonly link: boolean;
  readonly exclude: readonly string[];
  /** Keep the sources' parent directories (from `/./` on, where a source has it). */
  readonly parents: boolean;
}

export interface CopyInstruction extends CopyLike {
  readonly keyword: 'COPY';
  readonly from?: string;
}

export interface AddInstruction extends CopyLike {
  readonly keyword: 'ADD';
  readonly checksum?: string;
  readonly keepGitDir: boolean;
  /** Absent: local archives yes, downloads no. */
  readonly unpack?: boolean;
}

export interface CommandInstruction extends Common {
  readonly keyword: 'CMD' | 'ENTRYPOINT';
  /** No words: `[]`. */
  readonly command: Command;
}

export interface WordInstruction extends Common {
  readonly keyword: 'WORKDIR' | 'USER' | 'STOPSIGNAL' | 'MAINTAINER';
  readonly value: string;
}

export interface WordsInstruction extends Common {
  readonly keyword: 'EXPOSE' | 'VOLUME' | 'SHELL';
  /** EXPOSE resolved: `80/tcp`, ranges taken apart. */
  readonly values: readonly string[];
}

export interface HealthcheckInstruction extends Common {
  readonly keyword: 'HEALTHCHECK';
  /** Absent: NONE. */
  readonly command?: Command;
  /** Nanoseconds; absent where not said. */
  readonly interval?: number;
  readonly timeout?: number;
  readonly startPeriod?: number;
  readonly startInterval?: number;
  readonly retries?: number;
}

export interface OnbuildInstruction extends Common {
  readonly keyword: 'ONBUILD';
  /** The trigger as it goes into the image's config. */
  readonly trigger: string;
}

/** Everything that may stand in a stage. */
export type Instruction =
  | ArgInstruction
  | PairsInstruction
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | CommandInstruction
  | WordInstruction
  | WordsInstruction
  | HealthcheckInstruction
  | OnbuildInstruction;

export type Keyword = Instruction['keyword'] | 'FROM';

/** `# syntax=`, `# escape=`, `# check=` at the head of a file. */
export interface Directives {
  readonly syntax?: string;
  readonly escape: '\\' | '`';
  readonly check?: string;
}

/** FROM and what follows it. */
export interface ParsedStage {
  /** FROM as it is written. */
  readonly from: FromInstruction;
  /** What follows it, up to the next FROM. */
  readonly instructions: readonly Instruction[];
}

/** Something that is allowed and probably not meant. */
export interface DockerfileWarning {
  readonly message: string;
  readonly range: SourceRange;
}

export interface Dockerfile {
  /** As messages name it. */
  readonly file: string;
  readonly text: string;
  readonly directives: Directives;
  /** ARG before the first FROM. */
  readonly globals: readonly ArgInstruction[];
  readonly stages: readonly ParsedStage[];
  readonly warnings: readonly DockerfileWarning[];
}
