import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { HISTORY_SHAPE, historyRow } from '../format/history.ts';
import { printList } from '../format/list.ts';
import { flag, text, toggle } from '../options.ts';

export class History extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] IMAGE',
    summary: 'Show how an image was made, the newest step first',
    examples: [
      ['Where its bytes come from', "tsbox history --no-trunc --format '{{.Size}}\\t{{.CreatedBy}}' app"],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 1 };

  format = text('--format', 'FORMAT', "'table', 'json', or a Go template such as '{{.CreatedBy}}'");
  human = toggle('-H,--human', 'Sizes and times for people (default true)');
  noTrunc = flag('--no-trunc', 'Do not shorten anything');
  quiet = flag('-q,--quiet', 'Only ids');
  image = Option.String();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    const options = { now: this.context.now(), noTrunc: this.noTrunc, human: this.human ?? true };
    const rows = (await tsbox.history(this.image)).map(entry => historyRow(entry, options));
    if (this.quiet && this.format === undefined) for (const row of rows) this.print(String(row.ID));
    else await printList(this.context, HISTORY_SHAPE, rows, this.format);
    return 0;
  }
}
