import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where the code that runs now lies: `src/host` from source, `dist` for a bundle (CommonJS for the programs, ES module
 * for the library). The CommonJS bundles have no import.meta, the ES ones no __dirname.
 */
export const HERE = typeof __dirname === 'string' ? __dirname : dirname(fileURLToPath(import.meta.url));
export const FROM_SOURCE = HERE.endsWith('/src/host');
