import type { HostCheck } from '../errors.ts';
import type { MachineFacts } from './doctor-facts.ts';
import type { Program } from './doctor-packages.ts';

/** What helps against a finding. */
export interface Remedy {
  /** The user may type this. */
  readonly command?: string;
  /** A choice that is the user's, in words. */
  readonly hint?: string;
  /** What only an administrator can do. */
  readonly admin?: readonly AdminStep[];
}

/** In parts that can be joined with those of other findings. */
export interface AdminStep {
  /** To be installed. */
  readonly programs?: readonly Program[];
  /** Lines of sysctl.conf(5): `name = value`. */
  readonly sysctls?: readonly string[];
  /** Shell commands as root; one that begins with `#` is said, not executed. */
  readonly commands?: readonly string[];
}

export type Remedies<Code extends HostCheck> = Readonly<Record<Code, (facts: MachineFacts) => Remedy>>;

export const install = (...programs: Program[]): Remedy => ({ admin: [{ programs }] });
export const sysctl = (...sysctls: string[]): Remedy => ({ admin: [{ sysctls }] });
export const asRoot = (...commands: string[]): Remedy => ({ admin: [{ commands }] });

/** A word of the shell that stays as it is. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
