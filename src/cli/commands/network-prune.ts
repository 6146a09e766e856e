import { type HelpText, type Operands, Verb } from '../command.ts';
import { confirm } from '../confirm.ts';
import { parseFilters } from '../format/filter.ts';
import { prunedText } from '../format/prune.ts';
import { flag, list } from '../options.ts';

export class NetworkPrune extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'Remove networks that no container is in',
    examples: [['Without a question', 'tsbox network prune -f']],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  filter = list('--filter', 'KEY=VALUE', 'Only those that match: until, label, label!');
  force = flag('-f,--force', 'Do not ask');

  override async execute(): Promise<number> {
    const filters = parseFilters(this.filter);
    const question =
      'WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?';
    if (!this.force && !(await confirm(this.context, question))) return 0;
    const tsbox = await this.open();
    const { deleted } = await tsbox.pruneNetworks({ filters });
    this.context.out.write(prunedText('Deleted Networks:', deleted));
    return 0;
  }
}
