import { closeSync, fstatSync, readSync } from 'node:fs';
import koffi from 'koffi';
import { SysError } from './error.ts';
import { bind, check } from './libc.ts';

/** SCMP_ARCH_*: AUDIT_ARCH_* of linux/audit.h. */
export const SCMP_ARCH = { x64: 0xc000003e, ia32: 0x40000003, arm64: 0xc00000b7, arm: 0x40000028 } as const;
export type ScmpArch = keyof typeof SCMP_ARCH;

/** enum scmp_compare of seccomp.h. */
export const SCMP_CMP = { NE: 1, LT: 2, LE: 3, EQ: 4, GE: 5, GT: 6, MASKED_EQ: 7 } as const;

/** struct scmp_arg_cmp: `a` is the value, or the mask and `b` the value (MASKED_EQ). */
export interface ScmpArg {
  readonly index: number;
  readonly op: (typeof SCMP_CMP)[keyof typeof SCMP_CMP];
  readonly a: bigint;
  readonly b?: bigint;
}

/** A filter in the making; every method throws SysError (seccomp_rule_add(3) lists what the errno says). */
export interface ScmpFilter {
  /** An action of the kernel (SECCOMP_RET_* and data), a call by its number (negative: libseccomp's pseudo numbers). */
  rule(action: number, syscall: number, args: readonly ScmpArg[]): void;
  /** The program: array of struct sock_filter. */
  program(): Uint8Array;
  release(): void;
}

export interface Libseccomp {
  readonly version: string;
  /** The number of a call here, negative for one that only other architectures have; undefined: the library does not know it. */
  number(name: string): number | undefined;
  /** A filter for these architectures alone, with what becomes of every call that no rule names. */
  filter(otherwise: number, arches: readonly ScmpArch[]): ScmpFilter;
}

/** SCMP_FLTATR_CTL_OPTIMIZE 2: a binary search by the number instead of a chain. Since 2.5. */
const CTL_OPTIMIZE = 8;
const BINARY_TREE = 2;
/** SCMP_FLTATR_ACT_BADARCH: what another architecture than ours gets. */
const ACT_BADARCH = 2;
const KILL_PROCESS = 0x80000000;
const UNKNOWN = -1;
const MEMFD_CLOEXEC = 1;

/** libseccomp.so.2 of this machine; undefined where it is not installed or older than 2.5. */
export function libseccomp(): Libseccomp | undefined {
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load('libseccomp.so.2');
  } catch {
    return undefined;
  }
  return open(library);
}

function open(library: ReturnType<typeof koffi.load>): Libseccomp | undefined {
  const c = {
    version: library.func('const uint32_t *seccomp_version()'),
    resolve: library.func('int seccomp_syscall_resolve_name(const char *name)'),
    native: library.func('uint32_t seccomp_arch_native()'),
    init: library.func('void *seccomp_init(uint32_t action)'),
    release: library.func('void seccomp_release(void *ctx)'),
    archAdd: library.func('int seccomp_arch_add(void *ctx, uint32_t arch)'),
    archRemove: library.func('int seccomp_arch_remove(void *ctx, uint32_t arch)'),
    attribute: library.func('int seccomp_attr_set(void *ctx, int attr, uint32_t value)'),
    rule: library.func(
      'int seccomp_rule_add_array(void *ctx, uint32_t action, int syscall, uint32_t count, const uint8_t *args)',
    ),
    export: library.func('int seccomp_export_bpf(void *ctx, int fd)'),
  };
  const version = koffi.decode(c.version(), 'uint32_t', 3) as number[];
  if ((version[0] ?? 0) < 2 || (version[0] === 2 && (version[1] ?? 0) < 5)) return undefined;
  return {
    version: version.join('.'),
    number: name => {
      const found = c.resolve(name) as number;
      return found === UNKNOWN ? undefined : found;
    },
    filter: (otherwise, arches) => makeFilter(c, otherwise, arches),
  };
}

type Functions = Readonly<Record<string, (...args: unknown[]) => unknown>>;

function makeFilter(c: Functions, otherwise: number, arches: readonly ScmpArch[]): ScmpFilter {
  const context = c.init?.(otherwise);
  if (!context) throw new SysError('seccomp_init', 22);
  const done = (result: unknown, what: string): void => {
    if ((result as number) < 0) throw new SysError(what, -(result as number));
  };
  try {
    const native = c.native?.() as number;
    const tokens = arches.map(name => SCMP_ARCH[name]);
    for (const token of tokens) if (token !== native) done(c.archAdd?.(context, token), 'seccomp_arch_add');
    if (!tokens.some(token => token === native)) done(c.archRemove?.(context, native), 'seccomp_arch_remove');
    done(c.attribute?.(context, ACT_BADARCH, KILL_PROCESS), 'seccomp_attr_set');
    done(c.attribute?.(context, CTL_OPTIMIZE, BINARY_TREE), 'seccomp_attr_set');
  } catch (error) {
    c.release?.(context);
    throw error;
  }
  return {
    rule: (action, syscall, args) =>
      done(c.rule?.(context, action, syscall, args.length, packed(args)), `seccomp_rule_add ${syscall}`),
    program: () => exported(fd => done(c.export?.(context, fd), 'seccomp_export_bpf')),
    release: () => void c.release?.(context),
  };
}

/** An array of struct scmp_arg_cmp {u32 arg; enum op; u64 a, b}. */
function packed(args: readonly ScmpArg[]): Buffer {
  const bytes = Buffer.alloc(Math.max(1, args.length) * 24);
  for (const [i, { index, op, a, b }] of args.entries()) {
    bytes.writeUInt32LE(index, i * 24);
    bytes.writeUInt32LE(op, i * 24 + 4);
    bytes.writeBigUInt64LE(a, i * 24 + 8);
    bytes.writeBigUInt64LE(b ?? 0n, i * 24 + 16);
  }
  return bytes;
}

const memfdCreate = bind('int memfd_create(const char *name, uint32_t flags)');

/** The library writes to a descriptor only. */
function exported(write: (fd: number) => void): Uint8Array {
  const fd = check(memfdCreate('seccomp', MEMFD_CLOEXEC), 'memfd_create');
  try {
    write(fd);
    const program = new Uint8Array(fstatSync(fd).size);
    readSync(fd, program, 0, program.length, 0);
    return program;
  } finally {
    closeSync(fd);
  }
}
