import type { ImageSummary } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { parseFilters } from '../format/filter.ts';
import { IMAGE_SHAPE, imageRows } from '../format/images.ts';
import { printList } from '../format/list.ts';
import { flag, list, text } from '../options.ts';

export class Images extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] [REPOSITORY[:TAG]]',
    summary: 'List images',
    examples: [
      ['Names for a script', "tsbox images --format '{{.Repository}}:{{.Tag}}'"],
      ['Those that nobody can name any more', 'tsbox images --filter dangling=true'],
    ],
  };
  static readonly operands: Operands = { min: 0, max: 1 };

  all = flag('-a,--all', 'Also intermediate images');
  digests = flag('--digests', 'Show digests');
  filter = list(
    '-f,--filter',
    'KEY=VALUE',
    'Only those that match: reference, dangling, label, before, since, until',
  );
  format = text('--format', 'FORMAT', "'table', 'json', or a Go template such as '{{.ID}} {{.Repository}}'");
  noTrunc = flag('--no-trunc', 'Do not shorten anything');
  quiet = flag('-q,--quiet', 'Only ids');
  reference = Option.String({ required: false });

  override async execute(): Promise<number> {
    const filters = parseFilters(this.filter);
    const tsbox = await this.open();
    const options = this.reference === undefined ? {} : { reference: this.reference };
    await this.#show(await tsbox.images({ all: this.all, filters, ...options }));
    return 0;
  }

  async #show(images: readonly ImageSummary[]): Promise<void> {
    const options = { now: this.context.now(), noTrunc: this.noTrunc };
    const rows = images.flatMap(image => imageRows(image, options));
    if (this.quiet && this.format === undefined) {
      for (const id of new Set(rows.map(row => String(row.ID)))) this.print(id);
      return;
    }
    const columns = ['Repository', 'Tag', 'Digest', 'ID', 'CreatedSince', 'Size'];
    const shape = this.digests ? { ...IMAGE_SHAPE, columns } : IMAGE_SHAPE;
    await printList(this.context, shape, rows, this.format);
  }
}
