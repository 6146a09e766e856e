import { TsboxError } from '../../errors.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { list, text } from '../options.ts';
import { pairs } from '../values.ts';

export class VolumeCreate extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] [VOLUME]',
    summary: 'Create a volume',
    examples: [
      ['Data that outlives its container', 'tsbox volume create data && tsbox run -v data:/data alpine'],
    ],
  };
  static readonly operands: Operands = { min: 0, max: 1 };

  label = list('--label', 'KEY=VALUE', 'Set a label');
  driver = text('-d,--driver', 'NAME', "Only 'local'");
  name = Option.String({ required: false });

  override async execute(): Promise<number> {
    if (this.driver !== undefined && this.driver !== 'local') {
      throw new TsboxError('USAGE', `there is no volume driver '${this.driver}'`, {
        hint: "the only one is 'local'",
      });
    }
    const tsbox = await this.open();
    this.print((await tsbox.createVolume(this.name, pairs('--label', this.label) ?? {})).name);
    return 0;
  }
}
