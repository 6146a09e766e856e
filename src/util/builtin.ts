interface Builtins {
  'node:child_process': typeof import('node:child_process');
  'node:crypto': typeof import('node:crypto');
  'node:dgram': typeof import('node:dgram');
  'node:module': typeof import('node:module');
  'node:net': typeof import('node:net');
}

/** The programs are CommonJS and the library has a `require` of its own; from source there is none. */
const load: (name: string) => unknown = typeof require === 'function' ? require : process.getBuiltinModule;

/**
 * A module of Node that takes milliseconds to load (node:child_process and node:net 5 each, node:crypto 6), at its first use: a
 * short command needs none of them.
 */
export const builtin = <N extends keyof Builtins>(name: N): Builtins[N] => load(name) as Builtins[N];
