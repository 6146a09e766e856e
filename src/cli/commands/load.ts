import type { LoadOptions } from '../../index.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { openInput } from '../input.ts';
import { flag, text } from '../options.ts';
import { printableLine } from '../printable.ts';
import { defined } from '../values.ts';

export class Load extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'Load images from a docker or OCI archive',
    examples: [
      ['From a file', 'tsbox load -i images.tar'],
      ['From docker on another machine', 'ssh build docker save app | tsbox load'],
    ],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  input = text('-i,--input', 'FILE', 'The archive (stdin)');
  platform = text('--platform', 'OS/ARCH', 'Choose among the variants of an image');
  quiet = flag('-q,--quiet', 'Show no progress');

  override async execute(): Promise<number> {
    const input = await openInput(this.input, this.context);
    const tsbox = await this.open({ interruptible: true, quiet: this.quiet, progress: 1 });
    // The engine also takes a path, which may be an image layout: a directory cannot be streamed.
    const source = this.input === undefined || this.input === '-' ? input : this.input;
    const names = await tsbox.load(source, defined<LoadOptions>({ platform: this.platform }));
    await this.reporter?.finish();
    for (const name of names) {
      const word = name.startsWith('sha256:') ? 'Loaded image ID' : 'Loaded image';
      this.print(`${word}: ${printableLine(name)}`);
    }
    return 0;
  }
}
