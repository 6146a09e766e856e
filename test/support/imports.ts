import { dirname, join, normalize } from 'node:path';

export interface Import {
  /** The file (relative to the project) or the package that is imported. */
  readonly target: string;
  readonly external: boolean;
  /** Erased by the compiler: nothing of it exists when the program runs. */
  readonly typeOnly: boolean;
}

const STATIC = /^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC = /(?<!typeof\s)\bimport\(\s*'([^']+)'\s*\)/g;
const TYPE_QUERY = /typeof\s+import\(\s*'([^']+)'\s*\)/g;

/** Every import of a source file, `import()` and re-exports included. Knows only the quotes that the formatter leaves. */
export function importsOf(file: string, text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found = [
    ...[...code.matchAll(STATIC)].map(m => ({ name: m[2] ?? '', typeOnly: m[1] !== undefined })),
    ...[...code.matchAll(DYNAMIC)].map(m => ({ name: m[1] ?? '', typeOnly: false })),
    ...[...code.matchAll(TYPE_QUERY)].map(m => ({ name: m[1] ?? '', typeOnly: true })),
  ];
  return found.map(({ name, typeOnly }) => {
    const external = !name.startsWith('.');
    return { target: external ? name : normalize(join(dirname(file), name)), external, typeOnly };
  });
}
