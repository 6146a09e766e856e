import { TsboxError } from '../../errors.ts';
import type { ImportOptions } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { openInput } from '../input.ts';
import { list, text } from '../options.ts';
import { defined, given } from '../values.ts';

export class Import extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] FILE|- [REPOSITORY[:TAG]]',
    summary: 'Make an image of one layer from a tarball of a root file system',
    examples: [
      ['A directory', 'tar -C root -c . | tsbox import - mine:1'],
      ['With a command', `tsbox import -c 'CMD ["/bin/sh"]' -c 'ENV LANG=C.UTF-8' root.tar.xz mine`],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 2 };

  changes = list('-c,--change', 'INSTRUCTION', 'Change the config, as a Dockerfile would');
  message = text('-m,--message', 'TEXT', "What the image's history says");
  platform = text('--platform', 'OS/ARCH', 'What the image is for');
  source = Option.String();
  reference = Option.String({ required: false });

  override async execute(): Promise<number> {
    if (/^https?:/.test(this.source)) {
      throw new TsboxError('USAGE', 'a URL cannot be imported', {
        hint: `curl -L '${this.source}' | tsbox import -`,
      });
    }
    const input = await openInput(this.source, this.context);
    const tsbox = await this.open({ interruptible: true });
    const { message, platform, changes } = this;
    const options = defined<ImportOptions>({ message, platform, changes: given(changes) });
    this.print(await tsbox.import(input, this.reference, options));
    return 0;
  }
}
