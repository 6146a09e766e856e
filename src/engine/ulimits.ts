import { TsboxError } from '../errors.ts';
import { RLIMIT } from '../plan/flags.ts';

export interface Ulimit {
  readonly name: string;
  /** -1: unlimited. */
  readonly soft: number;
  readonly hard: number;
}

/** docker's --ulimit: `name=soft[:hard]`, -1 or `unlimited` for no limit. Throws USAGE. */
export function parseUlimits(specs: readonly string[]): Ulimit[] {
  return specs.map(parseUlimit);
}

function parseUlimit(spec: string): Ulimit {
  const match = /^([a-z]+)=(-1|unlimited|\d{1,18})(?::(-1|unlimited|\d{1,18}))?$/.exec(spec);
  const [, name = '', soft = '', hard = soft] = match ?? [];
  if (!match)
    throw new TsboxError('USAGE', `ulimit ${JSON.stringify(spec)} is not name=soft[:hard]`, {
      hint: '--ulimit nofile=1024:2048',
    });
  if (!(name in RLIMIT)) {
    throw new TsboxError('USAGE', `ulimit ${name} is not known`, {
      hint: `one of ${Object.keys(RLIMIT).join(', ')}`,
    });
  }
  const limit = { name, soft: value(soft), hard: value(hard) };
  if (limit.hard !== -1 && (limit.soft === -1 || limit.soft > limit.hard)) {
    throw new TsboxError('USAGE', `ulimit ${spec}: the soft limit is above the hard one`);
  }
  return limit;
}

const value = (text: string): number => (text === 'unlimited' ? -1 : Number(text));
