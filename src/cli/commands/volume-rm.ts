import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { forEachName } from '../each.ts';
import { flag } from '../options.ts';

export class VolumeRm extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] VOLUME [VOLUME...]',
    summary: 'Remove volumes and what is in them',
    examples: [['It is no error if it is gone', 'tsbox volume rm -f old']],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  force = flag('-f,--force', 'No error for a volume that is not there');
  names = Option.Rest();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    const remove = (name: string): Promise<void> => tsbox.removeVolume(name, { force: this.force });
    await forEachName(this.context, this.names, remove, (_, name) => this.print(name));
    return 0;
  }
}
