import { type HelpText, type Operands, Verb } from '../command.ts';
import { confirm } from '../confirm.ts';
import { parseFilters } from '../format/filter.ts';
import { prunedText, reclaimedText } from '../format/prune.ts';
import { flag, list } from '../options.ts';

export class VolumePrune extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'Remove volumes that no container mounts',
    examples: [['Without a question', 'tsbox volume prune -f']],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  all = flag('-a,--all', 'Also volumes that have a name');
  filter = list('--filter', 'KEY=VALUE', 'Only those that match: label, label!, all');
  force = flag('-f,--force', 'Do not ask');

  override async execute(): Promise<number> {
    const filters = parseFilters(this.filter);
    const what = this.all ? 'all local volumes' : 'anonymous local volumes';
    const question = `WARNING! This will remove ${what} not used by at least one container.\nAre you sure you want to continue?`;
    if (!this.force && !(await confirm(this.context, question))) return 0;
    const tsbox = await this.open();
    const { deleted, reclaimed } = await tsbox.pruneVolumes({ all: this.all, filters });
    this.context.out.write(prunedText('Deleted Volumes:', deleted));
    this.context.out.write(reclaimedText(reclaimed));
    return 0;
  }
}
