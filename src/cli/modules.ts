/** One piece of the program as the bundler writes it (src/bundle/chunks.ts). */
export type Body = (exports: object, require: unknown, module: object, dirname: string) => void;

interface Loaded {
  readonly exports: object;
  /** Of a pack: sets what others import from it, once. */
  fill?: () => void;
}

/** Where the loaded program takes its pieces from. */
export interface Source {
  /** What the pieces see as their directory. */
  readonly directory: string;
  /** Undefined: there is no such piece. */
  find(name: string): Body | undefined;
  /** A module that is no piece of the program. */
  builtin(name: string): unknown;
}

/** Runs the pieces of the program, each once, when another asks for it. */
export class Modules {
  readonly #source: Source;
  readonly #loaded = new Map<string, Loaded>();

  constructor(source: Source) {
    this.#source = source;
  }

  readonly load = (name: string): unknown => {
    if (!name.startsWith('./')) return this.#source.builtin(name);
    const module = this.#loaded.get(name) ?? this.begin(name);
    module.fill?.();
    delete module.fill;
    return module.exports;
  };

  begin(name: string): Loaded {
    const module: Loaded = { exports: {} };
    this.#loaded.set(name, module);
    const body = this.#source.find(name);
    if (!body) throw new Error(`tsbox is installed incompletely: ${name} is missing; run ./install.sh again`);
    body(module.exports, this.load, module, this.#source.directory);
    return module;
  }
}
