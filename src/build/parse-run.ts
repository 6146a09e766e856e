import { parseDuration } from '../util/duration.ts';
import { heredocWord } from './heredoc.ts';
import type {
  Command,
  CommandInstruction,
  HealthcheckInstruction,
  Heredoc,
  RunInstruction,
} from './instructions.ts';
import type { Flags } from './parse-flags.ts';
import { Mistake } from './parse-mistake.ts';
import { mountType } from './parse-mounts.ts';
import { execForm, flagsOf, needOperands, type Request } from './parse-request.ts';

type Fields<T> = Omit<T, 'range' | 'original' | 'text' | 'heredocs'>;

/** RUN (docker's reference: RUN, Here-Documents). */
export function parseRun(request: Request): Fields<RunInstruction> {
  const flags = flagsOf(request, { mount: 'list', network: 'text', security: 'text', device: 'list' });
  needOperands(request, 'a command');
  const network = oneOf(flags, 'network', ['default', 'none', 'host']);
  const security = oneOf(flags, 'security', ['sandbox', 'insecure']);
  const mounts = flags.list('mount');
  for (const mount of mounts) mountType(mount);
  return {
    keyword: 'RUN',
    ...runCommand(request),
    mounts,
    ...(network && { network }),
    ...(security && { security }),
  };
}

/** A lone heredoc is the script itself; with a `#!` it is executed as a file. Beside other words the shell reads it. */
function runCommand(request: Request): { command: Command; script?: Heredoc } {
  const { heredocs, rest } = request;
  const [only] = heredocs;
  if (only && heredocs.length === 1 && heredocWord({ text: rest, at: 0 })) {
    const command = { shell: true, words: [only.content] };
    return only.content.startsWith('#!') ? { command, script: only } : { command };
  }
  if (only) {
    const texts = heredocs.map(({ content, name }) => `\n${content}${name}`);
    return { command: { shell: true, words: [rest + texts.join('')] } };
  }
  const words = execForm(request);
  if (words?.length === 0) throw new Mistake('RUN needs a command', { from: request.at });
  return { command: words ? { shell: false, words } : { shell: true, words: [rest] } };
}

/** CMD and ENTRYPOINT. No words at all: the command of the base is dropped. */
export function parseCommand(request: Request, keyword: 'CMD' | 'ENTRYPOINT'): Fields<CommandInstruction> {
  flagsOf(request, {});
  if (request.rest === '') return { keyword, command: { shell: false, words: [] } };
  const words = execForm(request);
  return { keyword, command: words ? { shell: false, words } : { shell: true, words: [request.rest] } };
}

const TIMES = {
  interval: 'interval',
  timeout: 'timeout',
  'start-period': 'startPeriod',
  'start-interval': 'startInterval',
} as const;
const HEALTH_FLAGS = {
  interval: 'text',
  timeout: 'text',
  'start-period': 'text',
  'start-interval': 'text',
  retries: 'text',
} as const;

export function parseHealthcheck(request: Request): Fields<HealthcheckInstruction> {
  const flags = flagsOf(request, HEALTH_FLAGS);
  needOperands(request, 'NONE or CMD');
  const [, kind = '', gap = '', text = ''] = /^(\S+)(\s*)(.*)$/s.exec(request.rest) ?? [];
  const at = request.at + kind.length + gap.length;
  if (kind.toUpperCase() === 'NONE') {
    if (text !== '')
      throw new Mistake('HEALTHCHECK NONE takes nothing else', { from: at, to: at + text.length });
    return { keyword: 'HEALTHCHECK' };
  }
  if (kind.toUpperCase() !== 'CMD')
    throw new Mistake('HEALTHCHECK is followed by NONE or CMD', {
      from: request.at,
      to: request.at + kind.length,
    });
  const words = text === '' ? [] : execForm(request, text, at);
  if (words?.length === 0)
    throw new Mistake('HEALTHCHECK CMD needs a command', { from: request.at, to: request.at + 3 });
  const command = words ? { shell: false, words } : { shell: true, words: [text] };
  return { keyword: 'HEALTHCHECK', command, ...times(flags), ...retries(flags) };
}

function times(flags: Flags): { [K in (typeof TIMES)[keyof typeof TIMES]]?: number } {
  const found = Object.entries(TIMES).flatMap(([name, field]) => {
    const word = flags.word(name);
    if (!word) return [];
    const ms = word.text === '0' ? 0 : parseDuration(word.text);
    // Docker refuses less than a millisecond; 0 means its default.
    if (ms === undefined || (ms > 0 && ms < 1))
      throw new Mistake(`--${name} is a duration such as 30s`, {
        from: word.at,
        to: word.at + word.text.length,
      });
    return [[field, Math.round(ms * 1e6)] as const];
  });
  return Object.fromEntries(found);
}

function retries(flags: Flags): { retries?: number } {
  const word = flags.word('retries');
  if (!word) return {};
  if (!/^\d{1,9}$/.test(word.text))
    throw new Mistake('--retries is a count', { from: word.at, to: word.at + word.text.length });
  return { retries: Number(word.text) };
}

function oneOf<T extends string>(flags: Flags, name: string, words: readonly T[]): T | undefined {
  const value = flags.word(name);
  if (!value) return undefined;
  const found = words.find(word => word === value.text);
  if (found === undefined)
    throw new Mistake(`--${name} is ${words.join(' or ')}`, {
      from: value.at,
      to: value.at + value.text.length,
    });
  return found;
}
