import type {
  ArgInstruction,
  FromInstruction,
  OnbuildInstruction,
  Pair,
  PairsInstruction,
  WordInstruction,
  WordsInstruction,
} from './instructions.ts';
import { Mistake } from './parse-mistake.ts';
import { execForm, flagsOf, needOperands, type Request } from './parse-request.ts';
import { blankWords, quotedWords, type Word } from './parse-words.ts';

type Fields<T> = Omit<T, 'range' | 'original' | 'text' | 'heredocs'>;

const placeOf = (word: Word): { from: number; to: number } => ({
  from: word.at,
  to: word.at + word.text.length,
});

/** FROM (docker's reference: FROM): `image [AS name]`. */
export function parseFrom(request: Request): Fields<FromInstruction> {
  const platform = flagsOf(request, { platform: 'text' }).text('platform');
  needOperands(request, 'an image');
  const [image, as, name, ...more] = blankWords(request.rest, request.at);
  const odd = more[0] ?? (as && as.text.toUpperCase() !== 'AS' ? as : undefined);
  if (!image || odd || (as && !name)) {
    throw new Mistake(
      'FROM takes an image, and AS with a name',
      odd ? placeOf(odd) : placeOf(as ?? { text: '', at: request.at }),
    );
  }
  return {
    keyword: 'FROM',
    image: image.text,
    ...(platform !== undefined && { platform }),
    ...(name && { as: stageName(name) }),
  };
}

function stageName(word: Word): string {
  const name = word.text.toLowerCase();
  if (/^[a-z][a-z0-9\-_.]*$/.test(name)) return name;
  throw new Mistake(
    'the name of a stage begins with a letter and holds letters, digits, "-", "_" and "."',
    placeOf(word),
  );
}

/** `NAME`, `NAME=default`, several of them. */
export function parseArg(request: Request): Fields<ArgInstruction> {
  flagsOf(request, {});
  needOperands(request, 'a name');
  const declarations = quotedWords(request.rest, request.at, request.escapeChar).map(word => {
    const equals = word.text.indexOf('=');
    if (equals === 0) throw new Mistake('ARG needs a name before the "="', placeOf(word));
    return equals < 0
      ? { name: word.text }
      : { name: word.text.slice(0, equals), value: word.text.slice(equals + 1) };
  });
  return { keyword: 'ARG', declarations };
}

/** `A=1 B="2 3"`, or the old form with one name and the rest of the line as its value. */
export function parsePairs(request: Request, keyword: 'ENV' | 'LABEL'): Fields<PairsInstruction> {
  flagsOf(request, {});
  needOperands(request, 'name=value');
  const words = quotedWords(request.rest, request.at, request.escapeChar);
  const [first] = words;
  if (!first?.text.includes('=')) return { keyword, pairs: [oldPair(request)] };
  return { keyword, pairs: words.map(pair) };
}

function oldPair({ rest, at, keyword, ...request }: Request): Pair {
  const [, name = '', value] = /^(\S+)[\t\v\f\r ]+(.*)$/s.exec(rest) ?? [];
  if (value === undefined)
    throw new Mistake(`${keyword} needs a value: ${rest}=…`, { from: at, to: at + rest.length });
  request.warn(`the form without "=" is old: ${keyword} ${name}=…`, at, at + name.length);
  return { name, value };
}

function pair(word: Word): Pair {
  const equals = word.text.indexOf('=');
  if (equals < 0)
    throw new Mistake(`${word.text} has no "=": a value with blanks is quoted, name="a b"`, placeOf(word));
  if (equals === 0) throw new Mistake('a name is missing before the "="', placeOf(word));
  return { name: word.text.slice(0, equals), value: word.text.slice(equals + 1) };
}

/** One operand: the rest of the line. */
export function parseWord(request: Request, keyword: WordInstruction['keyword']): Fields<WordInstruction> {
  flagsOf(request, {});
  needOperands(request, keyword === 'MAINTAINER' ? 'a name' : 'a value');
  if (keyword === 'MAINTAINER') request.warn('MAINTAINER is old: LABEL org.opencontainers.image.authors="…"');
  return { keyword, value: request.rest };
}

export function parseExpose(request: Request): Fields<WordsInstruction> {
  flagsOf(request, {});
  needOperands(request, 'a port');
  return { keyword: 'EXPOSE', values: blankWords(request.rest, request.at).map(word => word.text) };
}

export function parseVolume(request: Request): Fields<WordsInstruction> {
  flagsOf(request, {});
  needOperands(request, 'a path');
  const values = execForm(request) ?? blankWords(request.rest, request.at).map(word => word.text);
  const { at, rest } = request;
  if (values.length === 0 || values.some(path => path.trim() === ''))
    throw new Mistake('a volume has no path', { from: at, to: at + rest.length });
  return { keyword: 'VOLUME', values };
}

export function parseShell(request: Request): Fields<WordsInstruction> {
  flagsOf(request, {});
  const { at, rest } = request;
  const values = rest === '' ? undefined : execForm(request);
  if (values && values.length > 0) return { keyword: 'SHELL', values };
  throw new Mistake('SHELL takes the exec form: SHELL ["/bin/sh", "-c"]', {
    from: Math.max(0, at - (rest === '' ? 1 : 0)),
    to: Math.max(at, at + rest.length),
  });
}

/** The trigger stays text: the build that inherits it parses it (docker's reference: ONBUILD). */
export function parseOnbuild(request: Request): Fields<OnbuildInstruction> {
  flagsOf(request, {});
  needOperands(request, 'an instruction');
  const name = request.rest.split(/\s/, 1)[0] ?? '';
  if (['ONBUILD', 'FROM', 'MAINTAINER'].includes(name.toUpperCase())) {
    throw new Mistake(`${name.toUpperCase()} cannot be a trigger`, {
      from: request.at,
      to: request.at + name.length,
    });
  }
  const texts = request.heredocs.map(({ content, name }) => `\n${content}${name}`);
  return { keyword: 'ONBUILD', trigger: request.rest + texts.join('') };
}
