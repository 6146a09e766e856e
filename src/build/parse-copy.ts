import { heredocWord } from './heredoc.ts';
import type { AddInstruction, CopyInstruction, Heredoc } from './instructions.ts';
import { Mistake } from './parse-mistake.ts';
import { execForm, flagsOf, needOperands, type Request } from './parse-request.ts';
import { blankWords, type Word } from './parse-words.ts';

const COMMON = { chown: 'text', chmod: 'text', link: 'switch', exclude: 'list' } as const;
const COPY_FLAGS = { ...COMMON, from: 'text', parents: 'switch' } as const;
const ADD_FLAGS = { ...COMMON, checksum: 'text', 'keep-git-dir': 'switch', unpack: 'switch' } as const;

type Fields<T> = Omit<T, 'range' | 'original' | 'text' | 'heredocs'>;

/** COPY (docker's reference: COPY). */
export function parseCopy(request: Request): Fields<CopyInstruction> {
  const flags = flagsOf(request, COPY_FLAGS);
  const from = flags.word('from');
  if (from?.text.includes('$')) {
    throw new Mistake('--from does not take variables: a FROM … AS of its own does', {
      from: from.at,
      to: from.at + from.text.length,
    });
  }
  return {
    keyword: 'COPY',
    ...operands(request),
    ...common(flags),
    parents: flags.on('parents') ?? false,
    ...(from && { from: from.text }),
  };
}

export function parseAdd(request: Request): Fields<AddInstruction> {
  const flags = flagsOf(request, ADD_FLAGS);
  const checksum = flags.text('checksum');
  const unpack = flags.on('unpack');
  return {
    keyword: 'ADD',
    ...operands(request),
    ...common(flags),
    parents: false,
    keepGitDir: flags.on('keep-git-dir') ?? false,
    ...(checksum !== undefined && { checksum }),
    ...(unpack !== undefined && { unpack }),
  };
}

function common(flags: ReturnType<typeof flagsOf>) {
  const [chown, chmod] = [flags.text('chown'), flags.text('chmod')];
  return {
    ...(chown !== undefined && { chown }),
    ...(chmod !== undefined && { chmod }),
    link: flags.on('link') ?? false,
    exclude: flags.list('exclude'),
  };
}

function operands(request: Request): { sources: string[]; target: string; files: Heredoc[] } {
  needOperands(request, 'a source and a destination');
  const { rest, at, keyword } = request;
  const exec = execForm(request)?.map((text): Word => ({ text, at }));
  const words = exec ?? blankWords(rest, at);
  const target = words.at(-1);
  if (!target || words.length < 2) {
    throw new Mistake(`${keyword} needs at least a source and a destination`, {
      from: at,
      to: at + rest.length,
    });
  }
  const marks = exec ? [] : words.map(heredocWord);
  if (marks.at(-1))
    throw new Mistake('a heredoc is a source, not a destination', {
      from: target.at,
      to: target.at + target.text.length,
    });
  const unread = [...request.heredocs];
  const files = marks.flatMap(mark => (mark ? unread.splice(0, 1) : []));
  const sources = words.slice(0, -1).filter((_, i) => !marks[i]);
  return { sources: sources.map(word => word.text), target: target.text, files };
}
