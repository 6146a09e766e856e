import { IN_USERNS } from '../host/here.ts';

/**
 * The single-file executable: the command line and the second entry point in one program, told apart by the first word, which only tsbox
 * itself says (src/host/self.ts). Both begin as they are loaded, so that neither costs the other anything.
 */
if (process.argv[2] === IN_USERNS) {
  process.argv.splice(2, 1);
  void import('../userns/main.ts');
} else {
  void import('../cli/main.ts');
}
