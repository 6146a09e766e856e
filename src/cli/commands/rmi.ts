import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { forEachName } from '../each.ts';
import { flag } from '../options.ts';
import { printableLine } from '../printable.ts';

export class Rmi extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] IMAGE [IMAGE...]',
    summary: 'Remove images',
    examples: [
      ['One name, and the image if it was the last', 'tsbox rmi app:1'],
      ['Although a container that has ended was made from it', 'tsbox rmi -f alpine'],
    ],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  force = flag('-f,--force', 'Also one with several names, or that a container that has ended was made from');
  noPrune = flag(
    '--no-prune',
    'Accepted for docker: there are no images without a name that others are built on',
  );
  names = Option.Rest();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    await forEachName(
      this.context,
      this.names,
      name => tsbox.removeImage(name, { force: this.force }),
      removed => {
        for (const name of removed.untagged) this.print(`Untagged: ${printableLine(name)}`);
        for (const id of removed.deleted) this.print(`Deleted: ${printableLine(id)}`);
      },
    );
    return 0;
  }
}
