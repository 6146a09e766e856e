import type { SearchOptions } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { parseFilters } from '../format/filter.ts';
import { printList } from '../format/list.ts';
import { SEARCH_SHAPE, searchRow } from '../format/search.ts';
import { flag, list, text } from '../options.ts';
import { defined, integer } from '../values.ts';

export class Search extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] TERM',
    summary: 'Search for images in a registry',
    details:
      "TERM is searched on Docker Hub; 'HOST/TERM' among the repositories of another registry, 'HOST/' shows all of them.",
    examples: [
      [
        'Official images',
        'tsbox search --filter is-official=true nginx',
        { where: 'Docker Hub can be reached' },
      ],
      ['What a registry has', 'tsbox search --limit 100 registry.example/'],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 1 };

  filter = list('-f,--filter', 'KEY=VALUE', 'Only those that match: stars, is-official, is-automated');
  format = text('--format', 'FORMAT', "'table', 'json', or a Go template such as '{{.Name}}'");
  limit = text('--limit', 'N', 'At most so many, 1 to 100 (25)');
  noTrunc = flag('--no-trunc', 'Do not shorten descriptions');
  term = Option.String();

  override async execute(): Promise<number> {
    const filters = parseFilters(this.filter);
    const limit = integer('--limit', this.limit);
    const tsbox = await this.open({ interruptible: true });
    const found = await tsbox.search(this.term, { filters, ...defined<SearchOptions>({ limit }) });
    const options = { noTrunc: this.noTrunc, json: /\bjson\b/.test(this.format ?? '') };
    const rows = found.map(item => searchRow(item, options));
    await printList(this.context, SEARCH_SHAPE, rows, this.format);
    return 0;
  }
}
