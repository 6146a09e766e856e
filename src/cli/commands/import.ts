import { TsboxError } from '../../errors.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { openInput } from '../input.ts';
import { text } from '../options.ts';

export class Import extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] FILE|- [REPOSITORY[:TAG]]',
    summary: 'Make an image of one layer from a tarball of a root file system',
    examples: [
      [
        'From debootstrap',
        'debootstrap --variant=minbase stable root && tar -C root -c . | tsbox import - debian:mine',
      ],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 2 };

  message = text('-m,--message', 'TEXT', "What the image's history says");
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
    const options = this.message === undefined ? {} : { message: this.message };
    this.print(await tsbox.import(input, this.reference, options));
    return 0;
  }
}
