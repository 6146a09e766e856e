#!/usr/bin/env node
/**
 * Writes src/runtime/seccomp/tables.ts: the system calls of each architecture, from the kernel's uapi headers.
 *
 *   node test/support/syscall-tables.mjs X86_INCLUDE ARM64_INCLUDE ARM_INCLUDE
 *
 * Each argument is an include directory with asm/ in it (on Debian: /usr/include/x86_64-linux-gnu, and /usr/*-linux-*\/include of the
 * packages linux-libc-dev-arm64-cross and linux-libc-dev-armhf-cross). Needs cpp. Calls newer than those headers are in
 * `later`, from arch/*\/kernel/syscalls/*.tbl of the kernel; since 5.1 a new call has the same number everywhere.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const later = {
  all: {
    cachestat: 451,
    fchmodat2: 452,
    map_shadow_stack: 453,
    futex_wake: 454,
    futex_wait: 455,
    futex_requeue: 456,
    statmount: 457,
    listmount: 458,
    lsm_get_self_attr: 459,
    lsm_set_self_attr: 460,
    lsm_list_modules: 461,
    mseal: 462,
    setxattrat: 463,
    getxattrat: 464,
    listxattrat: 465,
    removexattrat: 466,
    open_tree_attr: 467,
    file_getattr: 468,
    file_setattr: 469,
  },
  x64: { uretprobe: 335 },
  arm: {
    breakpoint: 0xf0001,
    cacheflush: 0xf0002,
    usr26: 0xf0003,
    usr32: 0xf0004,
    set_tls: 0xf0005,
    get_tls: 0xf0006,
  },
};

const [x86, arm64, arm] = process.argv.slice(2);
if (!x86 || !arm64 || !arm) {
  process.stderr.write('usage: syscall-tables.mjs X86_INCLUDE ARM64_INCLUDE ARM_INCLUDE\n');
  process.exit(2);
}

/** The macros `__NR_name number` that a header leaves defined. */
function numbers(include, header, defines = []) {
  const probe = `#include <${header}>\n`;
  const run = (flags, input) =>
    execFileSync('cpp', [...flags, ...defines.map(d => `-D${d}`), '-I', include, '-'], {
      input,
      encoding: 'utf8',
    });
  const names = [...run(['-dM'], probe).matchAll(/^#define __NR_(\w+) /gm)].map(m => m[1]);
  const values = run(['-P'], `${probe}${names.map(n => `@${n} __NR_${n}`).join('\n')}\n`);
  const table = new Map();
  for (const [, name, value] of values.matchAll(/^@ ?(\w+) ([\dx() +]+)$/gm)) {
    const number = value
      .replace(/[()\s]/g, '')
      .split('+')
      .reduce((sum, n) => sum + Number(n), 0);
    if (!/^(syscalls|arch_specific_syscall|SYSCALL_BASE|SYSCALL_MASK|OABI_SYSCALL_BASE)$/.test(name))
      table.set(name, number);
  }
  return table;
}

/** Names in the order of their numbers; `+n` skips n numbers that nothing has. Aliases of one number are joined by `/`. */
function pack(table) {
  const byNumber = new Map();
  for (const [name, number] of table) byNumber.set(number, [...(byNumber.get(number) ?? []), name].sort());
  const words = [];
  let next = 0;
  for (const number of [...byNumber.keys()].sort((a, b) => a - b)) {
    if (number > next) words.push(`+${number - next}`);
    words.push(byNumber.get(number).join('/'));
    next = number + 1;
  }
  return words;
}

function literal(words) {
  const lines = [];
  let line = '';
  for (const word of words) {
    if (line.length + word.length > 96) {
      lines.push(line);
      line = '';
    }
    line += `${word} `;
  }
  lines.push(line.trimEnd());
  return lines.map(l => `    '${l}'`).join(' +\n');
}

const add = (table, ...more) => new Map([...table, ...more.flatMap(m => Object.entries(m))]);
const tables = {
  x64: add(numbers(x86, 'asm/unistd_64.h'), later.all, later.x64),
  ia32: add(numbers(x86, 'asm/unistd_32.h'), later.all),
  arm64: add(numbers(arm64, 'asm/unistd.h', ['__aarch64__', '__LP64__']), later.all),
  arm: add(numbers(arm, 'asm/unistd.h', ['__ARM_EABI__']), later.all, later.arm),
};

const body = Object.entries(tables)
  .map(([name, table]) => `  ${name}:\n${literal(pack(table))},`)
  .join('\n');
writeFileSync(
  new URL('../../src/runtime/seccomp/tables.ts', import.meta.url),
  `/**
 * System call numbers, made from the kernel's uapi headers by test/support/syscall-tables.mjs: do not edit. Names stand in the order
 * of their numbers from 0; \`+n\` skips n numbers that no call has; \`a/b\` are two names of one number.
 */
export const SYSCALL_TABLES = {
${body}
} as const;
`,
);
