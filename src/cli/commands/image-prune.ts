import { type HelpText, type Operands, Verb } from '../command.ts';
import { confirm } from '../confirm.ts';
import { parseFilters } from '../format/filter.ts';
import { prunedImages, prunedText, reclaimedText } from '../format/prune.ts';
import { flag, list } from '../options.ts';

export class ImagePrune extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'Remove images that nobody uses',
    examples: [
      [
        'Everything that is older than a week and without a container',
        'tsbox image prune -a --filter until=168h',
        { keys: 'y\r' },
      ],
    ],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  all = flag('-a,--all', 'Also images with a name, if no container was made from them');
  filter = list('--filter', 'KEY=VALUE', 'Only those that match: until, label, label!, dangling');
  force = flag('-f,--force', 'Do not ask');

  override async execute(): Promise<number> {
    const filters = parseFilters(this.filter);
    const what = this.all
      ? 'all images without at least one container associated to them'
      : 'all dangling images';
    const question = `WARNING! This will remove ${what}.\nAre you sure you want to continue?`;
    if (!this.force && !(await confirm(this.context, question))) return 0;
    const tsbox = await this.open();
    const pruned = await tsbox.pruneImages({ all: this.all, filters });
    this.context.out.write(prunedText('Deleted Images:', prunedImages(pruned)));
    this.context.out.write(reclaimedText(pruned.reclaimed));
    return 0;
  }
}
