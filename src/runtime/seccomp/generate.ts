import { compileFilter, type FilterSource } from './compile.ts';
import { libraryFilter } from './library.ts';
import { relayout } from './relayout.ts';

/** Who makes a filter: libseccomp where there is one (`auto`), or always the compiler of our own. */
export type Generator = 'auto' | 'own';

/**
 * A filter by libseccomp, which other container tools take too; where it is not installed, by our own compiler, which has the same
 * effect. Loading it costs several milliseconds: callers keep what they get. Throws RangeError when the kernel would not take it.
 */
export async function generate(source: FilterSource, generator: Generator = 'auto'): Promise<Uint8Array> {
  const library = generator === 'own' ? undefined : await load();
  return library ? libraryFilter(library, source) : relayout(compileFilter(source), source.native);
}

/** Without koffi's binary for this machine there is no library either. */
async function load() {
  try {
    return (await import('../../sys/libseccomp.ts')).libseccomp();
  } catch {
    return undefined;
  }
}
