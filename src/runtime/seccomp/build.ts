import { compileFilter } from './compile.ts';
import { emulationRules } from './emulation.ts';
import { ERRNO, RET } from './rule.ts';
import { defaultRules, type NativeArch } from './rules.ts';

/** The default profile for these capabilities. */
export function buildDefault(native: NativeArch, caps: bigint, rootEmulation: boolean): Uint8Array {
  const rules = defaultRules(native, caps);
  return compileFilter({
    native,
    rules: rootEmulation ? [...emulationRules(), ...rules] : rules,
    otherwise: RET.ERRNO | ERRNO.EPERM,
  });
}

/** Root emulation alone; every other call is allowed. */
export function buildEmulation(native: NativeArch): Uint8Array {
  return compileFilter({ native, rules: emulationRules(), otherwise: RET.ALLOW, unknown: RET.ALLOW });
}
