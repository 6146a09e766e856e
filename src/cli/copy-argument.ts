/** One side of `cp`. */
export interface CopyArgument {
  /** Undefined: a path of this machine, or `-`. */
  readonly container: string | undefined;
  readonly path: string;
}

/**
 * docker's rule for what is a container's path: text before the first colon, unless the whole is absolute or that text begins with
 * a dot (`./a:b` is a file of this machine).
 */
export function copyArgument(argument: string): CopyArgument {
  const colon = argument.indexOf(':');
  if (colon < 0 || argument.startsWith('/') || argument.startsWith('.'))
    return { container: undefined, path: argument };
  return { container: argument.slice(0, colon), path: argument.slice(colon + 1) };
}
