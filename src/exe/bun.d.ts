/** The few parts of Bun's own interface that the single file uses (its types would replace Node's everywhere). */
declare const Bun: {
  /** posix_spawn with `stdio[i]` as descriptor i of the child; numbers stay open here. Throws when it cannot be started. */
  spawn(options: {
    cmd: readonly string[];
    argv0: string;
    stdio: readonly ('inherit' | number)[];
    env: NodeJS.ProcessEnv;
  }): { readonly pid: number; unref(): void };
};

declare module 'bun:ffi' {
  /** Calls into a C library. Some of a millisecond, where koffi takes six. */
  export function dlopen<N extends string>(
    library: string,
    functions: Readonly<Record<N, { args: readonly string[]; returns: string }>>,
  ): { readonly symbols: Readonly<Record<N, (...args: unknown[]) => number>> };
}
