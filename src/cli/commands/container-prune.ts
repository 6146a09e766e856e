import { type HelpText, type Operands, Verb } from '../command.ts';
import { confirm } from '../confirm.ts';
import { parseFilters } from '../format/filter.ts';
import { prunedText, reclaimedText } from '../format/prune.ts';
import { flag, list } from '../options.ts';

export class ContainerPrune extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'Remove all containers that do not run',
    examples: [
      ['What ended more than a day ago, without a question', 'tsbox container prune -f --filter until=24h'],
    ],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  filter = list('--filter', 'KEY=VALUE', 'Only those that match: until, label, label!');
  force = flag('-f,--force', 'Do not ask');

  override async execute(): Promise<number> {
    const filters = parseFilters(this.filter);
    const question = 'WARNING! This will remove all stopped containers.\nAre you sure you want to continue?';
    if (!this.force && !(await confirm(this.context, question))) return 0;
    const tsbox = await this.open();
    const { deleted, reclaimed } = await tsbox.pruneContainers({ filters });
    this.context.out.write(prunedText('Deleted Containers:', deleted));
    this.context.out.write(reclaimedText(reclaimed));
    return 0;
  }
}
