import { type Condition, low32, RET, type Rule } from './rule.ts';

/**
 * Root emulation (docs/root-emulation.md): in a user namespace with a single id, calls that would need a second one
 * report success and do nothing, so that package managers can go on. Calls that concern only the one id there is go
 * to the kernel, which does them and tells the truth about missing files.
 *
 * The idea of doing this with a filter alone is described in: Priedhorsky, Jennings, Phinney, "Zero-consistency root
 * emulation for unprivileged container image build" (2024).
 */
const SUCCESS = RET.ERRNO;

/** Root's id, or -1: leave it as it is. */
const REAL_IDS = [0, 0xffffffff];

/** Call → which of its arguments are user or group ids. Architectures with 16-bit ids have a second one that ends in 32. */
const ID_ARGUMENTS: Readonly<Record<string, readonly number[]>> = {
  chown: [1, 2],
  fchown: [1, 2],
  lchown: [1, 2],
  fchownat: [2, 3],
  setuid: [0],
  setgid: [0],
  setreuid: [0, 1],
  setregid: [0, 1],
  setresuid: [0, 1, 2],
  setresgid: [0, 1, 2],
  setfsuid: [0],
  setfsgid: [0],
};

const S_IFMT = 0o170000n;
const DEVICES = [0o020000n, 0o060000n];

/** To be put before the rules of a profile. */
export function emulationRules(): Rule[] {
  const rules: Rule[] = [];
  for (const [call, args] of Object.entries(ID_ARGUMENTS)) {
    for (const name of [call, `${call}32`]) {
      rules.push({ name, when: args.map(i => low32(i, REAL_IDS)), ret: RET.ALLOW });
      rules.push({ name, when: [], ret: SUCCESS });
    }
  }
  // setgroups is denied in such a namespace, whatever the list.
  for (const name of ['setgroups', 'setgroups32']) rules.push({ name, when: [], ret: SUCCESS });
  return [...rules, ...deviceRules('mknod', 1), ...deviceRules('mknodat', 2)];
}

/** Device 0:0 is an overlay whiteout, which needs no privilege: that one is real. Files, FIFOs and sockets are, too. */
function deviceRules(name: string, mode: number): Rule[] {
  const device: Condition = { index: mode, mask: S_IFMT, values: DEVICES };
  return [
    { name, when: [device, low32(mode + 1, [0])], ret: RET.ALLOW },
    { name, when: [device], ret: SUCCESS },
  ];
}
