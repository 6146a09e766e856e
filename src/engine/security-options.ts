import { messageOf, TsboxError } from '../errors.ts';
import { readFile } from '../util/files.ts';
import type { CreateOptions } from './types.ts';

export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** `default`, `unconfined`, or the text of a profile. */
  readonly seccomp: string;
  readonly systemPaths?: 'unconfined';
  readonly nestedUserns?: true;
  readonly strict?: true;
}

/** docker's --security-opt. A profile is read now, so that a later change of the file cannot change the container. */
export async function parseSecurityOpt(options: CreateOptions): Promise<SecurityOptions> {
  let noNewPrivileges = options.strict ?? false;
  let nestedUserns = false;
  let seccomp = options.privileged ? 'unconfined' : 'default';
  let systemPaths: 'unconfined' | undefined;
  for (const option of options.securityOpt ?? []) {
    const [key = '', value = ''] = splitOption(option);
    if (key === 'no-new-privileges') noNewPrivileges = value === '' || isTrue(value, option);
    else if (key === 'seccomp') seccomp = await profile(value);
    else if (key === 'userns' && value === 'allow') nestedUserns = true;
    else if (key === 'systempaths' && value === 'unconfined') systemPaths = value;
    else if (!isNoLabel(key, value)) throw unknownOption(option);
  }
  return {
    noNewPrivileges,
    seccomp,
    ...(systemPaths && { systemPaths }),
    ...(nestedUserns && { nestedUserns }),
    ...(options.strict && { strict: true }),
  };
}

/** What a container is in any case: without a label or profile of its own. */
const isNoLabel = (key: string, value: string): boolean =>
  (key === 'label' && value === 'disable') || (key === 'apparmor' && value === 'unconfined');

/** Docker takes `key=value` and the older `key:value`. */
function splitOption(option: string): [string, string] {
  const at = option.search(/[=:]/);
  return at < 0 ? [option, ''] : [option.slice(0, at), option.slice(at + 1)];
}

function isTrue(value: string, option: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw new TsboxError('USAGE', `security option ${option}: the value must be true or false`);
}

async function profile(value: string): Promise<string> {
  if (value === 'unconfined') return 'unconfined';
  if (value === 'builtin' || value === 'default') return 'default';
  try {
    return await readFile(value, 'utf8');
  } catch (cause) {
    throw new TsboxError('USAGE', `seccomp profile ${JSON.stringify(value)}: ${messageOf(cause)}`, {
      cause,
      hint: '--security-opt seccomp=FILE, seccomp=unconfined',
    });
  }
}

function unknownOption(option: string): TsboxError {
  const lsm = /^(apparmor|label)/.test(option);
  const why = lsm ? 'security labels can only be set by root, so tsbox sets none' : 'it is not known';
  return new TsboxError('USAGE', `security option ${JSON.stringify(option)}: ${why}`, {
    hint: 'no-new-privileges, seccomp=FILE|unconfined, systempaths=unconfined, userns=allow',
  });
}
