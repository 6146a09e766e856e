import type { OpenOptions } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb, type VerbClass } from '../command.ts';
import { type Answer, answer } from '../completion/answer.ts';
import { namesOf } from '../completion/names.ts';
import type { Tables } from '../completion/tables.ts';
import { unquote } from '../completion/unquote.ts';
import type { Api } from '../context.ts';

/** Hidden: what the completion scripts ask. Whatever goes wrong is no answer: nobody wants a message in a half-typed line. */
export const completeOf = (tables: Tables): VerbClass =>
  class Complete extends Verb {
    static readonly help: HelpText = { operands: 'SHELL WORD...', summary: 'What can follow' };
    static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

    shell = Option.String();
    words = Option.Rest();
    #stores = new Map<ReadonlyMap<string, string>, Promise<Api>>();

    override async execute(): Promise<number> {
      // bash gives words as they are typed, with their quotes
      const words = this.shell === 'bash' ? this.words.map(unquote) : this.words;
      try {
        const found = await answer(words, tables, async (kind, globals) =>
          namesOf(await this.#store(globals), kind),
        );
        this.#print(found, this.shell === 'bash' ? (words.at(-1) ?? '') : '');
      } catch {
        this.print(':');
      }
      return 0;
    }

    /** bash does not sort out by itself what begins otherwise. */
    #print({ candidates, files }: Answer, begin: string): void {
      for (const { word, about } of candidates.filter(each => each.word.startsWith(begin)))
        this.print(`${word}\t${about}`);
      this.print(`:${files ?? ''}`);
    }

    #store(globals: ReadonlyMap<string, string>): Promise<Api> {
      const given = this.#stores.get(globals);
      if (given) return given;
      const request: OpenOptions = {};
      const [root, runtimeDir, config] = ['--root', '--runtime-dir', '--config'].map(name =>
        globals.get(name),
      );
      if (root !== undefined) request.root = root;
      if (runtimeDir !== undefined) request.runtimeDir = runtimeDir;
      if (config !== undefined) request.configFile = config;
      const opened = this.context.open(request);
      this.#stores.set(globals, opened);
      return opened;
    }
  };
