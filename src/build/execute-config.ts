import { posix } from 'node:path';
import type { RunConfig } from '../oci/config.ts';
import type { Command, HealthcheckInstruction, Instruction } from './instructions.ts';

/** What of an image the instructions of a stage change without making a layer. */
export interface StageConfig {
  readonly config: RunConfig;
  readonly author?: string;
  /** A CMD of this stage: an ENTRYPOINT after it does not take it away. */
  readonly hasCommand: boolean;
}

export const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];
export const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A command as an image's config has it. */
export function commandWords(command: Command, { Shell }: RunConfig): readonly string[] {
  return command.shell ? [...(Shell ?? DEFAULT_SHELL), ...command.words] : command.words;
}

/** An absolute path, or one beneath the working directory; docker's WORKDIR. */
export const workdirOf = ({ WorkingDir }: RunConfig, path: string): string =>
  posix.resolve('/', WorkingDir ?? '', path);

/** The config after a resolved instruction. `env`: the stage's, ENV applied. */
export function applyConfig(
  stage: StageConfig,
  instruction: Instruction,
  env: readonly string[],
): StageConfig {
  const { config } = stage;
  const set = (more: RunConfig): StageConfig => ({ ...stage, config: { ...config, ...more } });
  switch (instruction.keyword) {
    case 'ENV':
      return set({ Env: env });
    case 'LABEL':
      return set({ Labels: { ...config.Labels, ...labelsOf(instruction.pairs) } });
    case 'CMD':
      return { ...set({ Cmd: commandWords(instruction.command, config) }), hasCommand: true };
    case 'ENTRYPOINT':
      return entrypoint(stage, commandWords(instruction.command, config));
    case 'USER':
      return set({ User: instruction.value });
    case 'WORKDIR':
      return set({ WorkingDir: workdirOf(config, instruction.value) });
    case 'STOPSIGNAL':
      return set({ StopSignal: instruction.value });
    case 'MAINTAINER':
      return { ...stage, author: instruction.value };
    case 'EXPOSE':
      return set({ ExposedPorts: { ...config.ExposedPorts, ...keys(instruction.values) } });
    case 'VOLUME':
      return set({ Volumes: { ...config.Volumes, ...keys(instruction.values) } });
    case 'SHELL':
      return set({ Shell: instruction.values });
    case 'HEALTHCHECK':
      return set({ Healthcheck: healthcheck(instruction) });
    case 'ONBUILD':
      return set({ OnBuild: [...(config.OnBuild ?? []), instruction.trigger] });
    default:
      return stage;
  }
}

function entrypoint(stage: StageConfig, words: readonly string[]): StageConfig {
  const { Cmd, ...others } = stage.config;
  const kept = stage.hasCommand && Cmd ? { Cmd } : {};
  return { ...stage, config: { ...others, ...kept, Entrypoint: words } };
}

const labelsOf = (pairs: readonly { name: string; value: string }[]): Record<string, string> =>
  Object.fromEntries(pairs.map(({ name, value }) => [name, value]));
const keys = (names: readonly string[]): Record<string, object> =>
  Object.fromEntries(names.map(name => [name, {}]));

function healthcheck(instruction: HealthcheckInstruction) {
  const { command, interval, timeout, startPeriod, startInterval, retries } = instruction;
  if (!command) return { Test: ['NONE'] };
  const test = command.shell ? ['CMD-SHELL', ...command.words] : ['CMD', ...command.words];
  return {
    Test: test,
    ...(interval !== undefined && { Interval: interval }),
    ...(timeout !== undefined && { Timeout: timeout }),
    ...(startPeriod !== undefined && { StartPeriod: startPeriod }),
    ...(startInterval !== undefined && { StartInterval: startInterval }),
    ...(retries !== undefined && { Retries: retries }),
  };
}

/** What an image's history says of an instruction that made no command of its own. */
export function historyText(instruction: Instruction): string {
  switch (instruction.keyword) {
    case 'ENV':
    case 'LABEL':
      return `${instruction.keyword} ${instruction.pairs.map(p => `${p.name}=${p.value}`).join(' ')}`;
    case 'CMD':
    case 'ENTRYPOINT':
      return `${instruction.keyword} ${JSON.stringify(instruction.command.words)}`;
    case 'EXPOSE':
    case 'VOLUME':
    case 'SHELL':
      return `${instruction.keyword} [${instruction.values.join(' ')}]`;
    case 'USER':
    case 'WORKDIR':
    case 'STOPSIGNAL':
    case 'MAINTAINER':
      return `${instruction.keyword} ${instruction.value}`;
    case 'ARG':
      return `ARG ${instruction.declarations.map(d => (d.value === undefined ? d.name : `${d.name}=${d.value}`)).join(' ')}`;
    default:
      return instruction.text;
  }
}

/** docker's text for a RUN: the arguments that it saw, then the command. */
export function runHistory(args: ReadonlyMap<string, string>, words: readonly string[]): string {
  const list = [...args].map(([name, value]) => `${name}=${value}`).sort();
  const seen = list.length === 0 ? '' : `|${list.length} ${list.join(' ')} `;
  return `RUN ${seen}${words.join(' ')}`;
}
