import { TsboxError } from '../errors.ts';
import { suggest } from '../util/suggest.ts';

/** Every capability of capabilities(7) in the order of its number (linux/capability.h): CHOWN is bit 0. */
export const CAPABILITY_NAMES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
] as const;

export type CapabilityName = (typeof CAPABILITY_NAMES)[number];

/** The bit of a capability as a mask. */
export const capabilityBit = (name: CapabilityName): bigint => 1n << BigInt(CAPABILITY_NAMES.indexOf(name));

/** The mask of several capabilities. */
export const capabilityMask = (names: readonly CapabilityName[]): bigint =>
  names.reduce((mask, name) => mask | capabilityBit(name), 0n);

/** Every capability that this table knows. */
export const ALL_CAPABILITIES = (1n << BigInt(CAPABILITY_NAMES.length)) - 1n;

/** What docker leaves a container without --cap-add or --cap-drop. */
export const DEFAULT_CAPABILITIES = capabilityMask([
  'CHOWN',
  'DAC_OVERRIDE',
  'FSETID',
  'FOWNER',
  'MKNOD',
  'NET_RAW',
  'SETGID',
  'SETUID',
  'SETFCAP',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'SYS_CHROOT',
  'KILL',
  'AUDIT_WRITE',
]);

/**
 * The mask for docker's --cap-add, --cap-drop and --privileged. Names may be in any case and with or without `CAP_`;
 * `ALL` is every one. A name both added and dropped is there; `--cap-drop ALL --cap-add X` leaves X, `--cap-add ALL
 * --cap-drop X` everything but X. `privileged` overrides both, as docker does. Throws USAGE for an unknown name.
 */
export function resolveCapabilities(request: {
  add?: readonly string[];
  drop?: readonly string[];
  privileged?: boolean;
}): bigint {
  const add = parseList(request.add ?? [], '--cap-add');
  const drop = parseList(request.drop ?? [], '--cap-drop');
  if (request.privileged) return ALL_CAPABILITIES;
  if (add.all) return ALL_CAPABILITIES & ~drop.mask;
  if (drop.all) return add.mask;
  return (DEFAULT_CAPABILITIES & ~drop.mask) | add.mask;
}

/** `CAP_CHOWN` …, lowest bit first. Bits without a name are left out. */
export function capabilityNames(mask: bigint): string[] {
  return CAPABILITY_NAMES.filter((_, bit) => (mask >> BigInt(bit)) & 1n).map(name => `CAP_${name}`);
}

/** The bit of `CAP_X` or `x`; undefined when there is no such capability. */
export function findCapability(text: string): bigint | undefined {
  const name = text.toUpperCase().replace(/^CAP_/, '');
  const bit = (CAPABILITY_NAMES as readonly string[]).indexOf(name);
  return bit < 0 ? undefined : 1n << BigInt(bit);
}

function parseList(names: readonly string[], flag: string): { all: boolean; mask: bigint } {
  let all = false;
  let mask = 0n;
  for (const text of names) {
    if (/^(cap_)?all$/i.test(text)) all = true;
    else mask |= findCapability(text) ?? unknown(text, flag);
  }
  return { all, mask };
}

function unknown(text: string, flag: string): never {
  const near = suggest(text.toUpperCase().replace(/^CAP_/, ''), CAPABILITY_NAMES);
  throw new TsboxError('USAGE', `${flag}: unknown capability ${JSON.stringify(text)}`, {
    hint: near
      ? `did you mean ${near}?`
      : 'names are in capabilities(7), with or without CAP_; ALL is every one',
  });
}
