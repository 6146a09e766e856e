import { constants } from 'node:os';
import { posix } from 'node:path';
import { messageOf, TsboxError } from '../errors.ts';
import { parseHealthcheck } from './changes-health.ts';
import { jsonWords } from './changes-json.ts';
import { expandWord, splitWords } from './changes-words.ts';
import type { RunConfig } from './config.ts';

/**
 * Dockerfile instructions that change an image's config alone, as `commit --change` and `import --change` take them
 * (docker's reference: commit, import, Dockerfile).
 */
type Change = (config: RunConfig, rest: string, word: (text: string) => string) => RunConfig;

const CHANGES: Readonly<Record<string, Change>> = {
  CMD: (config, rest) => ({ ...config, Cmd: command(config, rest) }),
  ENTRYPOINT: (config, rest) => ({ ...config, Entrypoint: command(config, rest) }),
  ENV: (config, rest, word) => ({ ...config, Env: withVariables(config.Env ?? [], pairs(rest, word)) }),
  EXPOSE: (config, rest, word) => ({
    ...config,
    ExposedPorts: { ...config.ExposedPorts, ...ports(rest, word) },
  }),
  HEALTHCHECK: (config, rest) => ({ ...config, Healthcheck: parseHealthcheck(rest) }),
  LABEL: (config, rest, word) => ({
    ...config,
    Labels: { ...config.Labels, ...Object.fromEntries(pairs(rest, word)) },
  }),
  ONBUILD: (config, rest) => ({ ...config, OnBuild: [...(config.OnBuild ?? []), trigger(rest)] }),
  STOPSIGNAL: (config, rest, word) => ({ ...config, StopSignal: signal(word(rest)) }),
  USER: (config, rest, word) => ({ ...config, User: word(rest) }),
  VOLUME: (config, rest, word) => ({ ...config, Volumes: { ...config.Volumes, ...volumes(rest, word) } }),
  WORKDIR: (config, rest, word) => ({
    ...config,
    WorkingDir: posix.resolve('/', config.WorkingDir ?? '', word(rest)),
  }),
};

/** One instruction. Throws USAGE with the instruction in its message. */
export function applyChange(config: RunConfig, instruction: string): RunConfig {
  return applyChanges(config, [instruction]);
}

/** Several, in order. An ENTRYPOINT drops the command it was made for, unless a CMD came before it. Throws USAGE. */
export function applyChanges(config: RunConfig, instructions: readonly string[]): RunConfig {
  let changed = config;
  let hasCommand = false;
  for (const instruction of instructions) {
    const [, name = '', rest = ''] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(instruction) ?? [];
    const key = name.toUpperCase();
    changed = applyOne(changed, key, rest, instruction);
    if (key === 'CMD') hasCommand = true;
    if (key === 'ENTRYPOINT' && !hasCommand) {
      const { Cmd: _, ...others } = changed;
      changed = others;
    }
  }
  return changed;
}

function applyOne(config: RunConfig, key: string, rest: string, instruction: string): RunConfig {
  const change = Object.hasOwn(CHANGES, key) ? CHANGES[key] : undefined;
  const shown = JSON.stringify(instruction);
  if (!change) {
    throw new TsboxError('USAGE', `${shown} is not a change of an image's config`, {
      hint: `a change begins with ${Object.keys(CHANGES).join(', ')}`,
    });
  }
  if (rest === '') throw new TsboxError('USAGE', `invalid change ${shown}: ${key} needs an argument`);
  const env = new Map((config.Env ?? []).map(splitPair));
  try {
    return change(config, rest, text => expandWord(text, env));
  } catch (cause) {
    throw new TsboxError('USAGE', `invalid change ${shown}: ${messageOf(cause)}`, { cause });
  }
}

/** Exec form as it stands, anything else through the image's shell. */
function command({ Shell }: RunConfig, rest: string): readonly string[] {
  return jsonWords(rest) ?? [...(Shell ?? ['/bin/sh', '-c']), rest];
}

const splitPair = (pair: string): [string, string] => {
  const at = pair.indexOf('=');
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
};

/** `A=1 B="2 3"`, or the old form with one name and the rest of the line as its value. */
function pairs(rest: string, word: (text: string) => string): [string, string][] {
  const words = splitWords(rest);
  if (!words[0]?.includes('=')) {
    const [, name = '', value = ''] = /^(\S+)\s+(.*)$/s.exec(rest) ?? [];
    if (name === '') throw wrong(`${rest} has no value`);
    return [[word(name), word(value)]];
  }
  return words.map(text => {
    if (!text.includes('=')) throw wrong(`${text} has no "="`);
    const [name, value] = splitPair(text);
    if (word(name) === '') throw wrong(`${text} has no name`);
    return [word(name), word(value)];
  });
}

function withVariables(env: readonly string[], more: readonly [string, string][]): readonly string[] {
  const all = new Map(env.map(splitPair));
  for (const [name, value] of more) all.set(name, value);
  return [...all].map(([name, value]) => `${name}=${value}`);
}

function ports(rest: string, word: (text: string) => string): Readonly<Record<string, object>> {
  const specs = splitWords(rest).flatMap(text => word(text).split(/\s+/).filter(Boolean));
  return Object.fromEntries(specs.flatMap(portRange).map(port => [port, {}]));
}

function portRange(text: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (!match || first < 1 || last > 65535 || last < first)
    throw wrong(`${JSON.stringify(text)} is not a port (1 to 65535, with /tcp, /udp or /sctp)`);
  const protocol = match[3]?.toLowerCase() ?? 'tcp';
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol}`);
}

function volumes(rest: string, word: (text: string) => string): Readonly<Record<string, object>> {
  const paths = jsonWords(rest) ?? splitWords(rest);
  if (paths.some(path => path.trim() === '')) throw wrong('a volume has no path');
  return Object.fromEntries(paths.map(path => [word(path), {}]));
}

/** A trigger is an instruction of a later build; docker forbids these three. */
function trigger(rest: string): string {
  const name = rest.split(/\s/)[0]?.toUpperCase() ?? '';
  if (['ONBUILD', 'FROM', 'MAINTAINER'].includes(name)) throw wrong(`${name} cannot be a trigger`);
  return rest;
}

function signal(text: string): string {
  const name = text.toUpperCase().replace(/^(?:SIG)?/, 'SIG');
  const isNumber = /^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= 64;
  const isName =
    Object.hasOwn(constants.signals, name) || /^SIGRT(?:MIN(?:\+\d{1,2})?|MAX(?:-\d{1,2})?)$/.test(name);
  if (isNumber || isName) return text;
  throw wrong(`${JSON.stringify(text)} is not a signal`);
}

const wrong = (message: string): TsboxError => new TsboxError('USAGE', message);
