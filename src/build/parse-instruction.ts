import type { FromInstruction, Instruction } from './instructions.ts';
import { parseAdd, parseCopy } from './parse-copy.ts';
import { Mistake, nearest } from './parse-mistake.ts';
import type { Request } from './parse-request.ts';
import { parseCommand, parseHealthcheck, parseRun } from './parse-run.ts';
import {
  parseArg,
  parseExpose,
  parseFrom,
  parseOnbuild,
  parsePairs,
  parseShell,
  parseVolume,
  parseWord,
} from './parse-simple.ts';

/** What the tables make: an instruction without the places it has in the text. */
export type Parsed = Distribute<Instruction | FromInstruction>;
type Distribute<T> = T extends unknown ? Omit<T, 'range' | 'original' | 'text' | 'heredocs'> : never;

const PARSERS: ReadonlyMap<string, (request: Request) => Parsed> = new Map<
  string,
  (request: Request) => Parsed
>([
  ['FROM', parseFrom],
  ['ARG', parseArg],
  ['ENV', request => parsePairs(request, 'ENV')],
  ['LABEL', request => parsePairs(request, 'LABEL')],
  ['RUN', parseRun],
  ['COPY', parseCopy],
  ['ADD', parseAdd],
  ['CMD', request => parseCommand(request, 'CMD')],
  ['ENTRYPOINT', request => parseCommand(request, 'ENTRYPOINT')],
  ['WORKDIR', request => parseWord(request, 'WORKDIR')],
  ['USER', request => parseWord(request, 'USER')],
  ['STOPSIGNAL', request => parseWord(request, 'STOPSIGNAL')],
  ['MAINTAINER', request => parseWord(request, 'MAINTAINER')],
  ['EXPOSE', parseExpose],
  ['VOLUME', parseVolume],
  ['SHELL', parseShell],
  ['HEALTHCHECK', parseHealthcheck],
  ['ONBUILD', parseOnbuild],
]);

/** Names of all instructions, in capitals. */
export const KEYWORDS: readonly string[] = [...PARSERS.keys()];

/** Throws Mistake. */
export function parseInstruction(request: Request): Parsed {
  const parse = PARSERS.get(request.keyword);
  if (!parse) throw wrongKeyword(request.keyword) ?? new Mistake('not an instruction');
  return parse(request);
}

/** The mistake of a first word that is no instruction; undefined when it is one. */
export function wrongKeyword(word: string): Mistake | undefined {
  const keyword = word.toUpperCase();
  if (PARSERS.has(keyword)) return undefined;
  const shown = word.length > 40 ? `${word.slice(0, 40)}…` : word;
  return new Mistake(`there is no instruction ${JSON.stringify(shown)}`, {
    from: 0,
    to: word.length,
    suggestion: keyword.length > 40 ? undefined : nearest(keyword, KEYWORDS),
  });
}
