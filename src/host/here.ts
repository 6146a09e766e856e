import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where the code that runs now lies: `src/host` from source, `dist` for a bundle (CommonJS for the programs, ES module
 * for the library), a directory that no file system has for the single-file executable. The CommonJS bundles have no import.meta, the
 * ES ones no __dirname.
 */
export const HERE = typeof __dirname === 'string' ? __dirname : dirname(fileURLToPath(import.meta.url));
export const FROM_SOURCE = HERE.endsWith('/src/host');
/** The single-file executable: this program is process.execPath, and what lay beside it is inside. */
export const SINGLE_FILE = HERE === '/$tsbox';
/** The first word of the single-file executable that makes it the program inside the user namespace. */
export const IN_USERNS = '_userns';
