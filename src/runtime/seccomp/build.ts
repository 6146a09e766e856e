import { compileFilter } from './compile.ts';
import { emulationRules } from './emulation.ts';
import { type Generator, generate } from './generate.ts';
import { relayout } from './relayout.ts';
import { ERRNO, RET } from './rule.ts';
import { defaultRules, type NativeArch } from './rules.ts';

/** The default profile for these capabilities. */
export async function buildDefault(
  native: NativeArch,
  caps: bigint,
  rootEmulation: boolean,
  generator?: Generator,
): Promise<Uint8Array> {
  const rules = defaultRules(native, caps);
  const source = {
    native,
    rules: rootEmulation ? [...emulationRules(), ...rules] : rules,
    otherwise: RET.ERRNO | ERRNO.EPERM,
  };
  return generate(source, generator);
}

/** Root emulation alone; every other call is allowed. */
export function buildEmulation(native: NativeArch): Uint8Array {
  return relayout(
    compileFilter({ native, rules: emulationRules(), otherwise: RET.ALLOW, unknown: RET.ALLOW }),
    native,
  );
}
