import { type Body, Modules } from '../cli/modules.ts';
import { embeddedKoffi } from '../host/embedded.ts';
import { HERE, IN_USERNS } from '../host/here.ts';
import { refuseDebugger } from '../util/debugger.ts';
import { beginHelper } from './early.ts';

type Pieces = Readonly<Record<string, Body>>;

/**
 * The single-file executable: the command line, in the same packs that lie beside Node's loader (src/cli/boot.ts), and the second entry point
 * in one program, told apart by the first word, which only tsbox itself says (src/host/self.ts). A pack that is not asked for costs nothing: a
 * scope's functions are all made when it is entered, and in the whole program those are thousands.
 */
const packs: Readonly<Record<string, () => Pieces>> = {
  './main.js': () => require('./tsbox.main.cjs'),
  './run.js': () => require('./tsbox.run.cjs'),
  './list.js': () => require('./tsbox.list.cjs'),
  './net.js': () => require('./tsbox.net.cjs'),
  './group.js': () => require('./tsbox.group.cjs'),
};

const modules = new Modules({
  directory: HERE,
  find: name => (packs[name]?.() ?? (require('./tsbox.rest.cjs') as Pieces))[name],
  builtin: require,
});

refuseDebugger();
if (process.argv[2] === IN_USERNS) {
  // The ids of files are others there: whoever started it has unpacked the library, and says where.
  const [, koffi = ''] = process.argv.splice(2, 2);
  provideKoffi(() => koffi);
  require('./userns.cjs');
} else {
  provideKoffi(embeddedKoffi);
  beginHelper(process.argv[2] ?? '');
  modules.begin('./main.js');
}

/** What stands for koffi's package of this platform (src/bundle/exe.ts): the library, loaded when it is first asked for. */
function provideKoffi(path: () => string): void {
  const load = (): unknown => {
    const addon = { exports: {} };
    process.dlopen(addon, path());
    return addon.exports;
  };
  Object.assign(globalThis, { TSBOX_KOFFI: load });
}
