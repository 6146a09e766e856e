import { type HelpText, type Operands, Verb } from '../command.ts';
import { confirm } from '../confirm.ts';
import { parseFilters } from '../format/filter.ts';
import { prunedText, reclaimedText } from '../format/prune.ts';
import { flag, list } from '../options.ts';

export class BuilderPrune extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'Forget the steps of builds, and the layers that no image has',
    examples: [
      ['What no build has used for a day, without a question', 'tsbox builder prune -f --filter until=24h'],
    ],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  all = flag('-a,--all', 'Also what RUN --mount=type=cache keeps');
  filter = list('--filter', 'KEY=VALUE', 'Only what was last used before: until=24h');
  force = flag('-f,--force', 'Do not ask');

  override async execute(): Promise<number> {
    const filters = parseFilters(this.filter);
    const what = this.all ? 'all build cache, cache mounts too' : 'the cached steps of builds';
    const question = `WARNING! This will remove ${what}.\nAre you sure you want to continue?`;
    if (!this.force && !(await confirm(this.context, question))) return 0;
    const tsbox = await this.open();
    const { deleted, reclaimed } = await tsbox.pruneBuilds({ all: this.all, filters });
    this.context.out.write(prunedText('Deleted build cache objects:', deleted));
    this.context.out.write(reclaimedText(reclaimed));
    return 0;
  }
}
