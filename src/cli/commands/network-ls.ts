import { type HelpText, type Operands, Verb } from '../command.ts';
import { parseFilters } from '../format/filter.ts';
import { printList } from '../format/list.ts';
import { NETWORK_SHAPE, networkRow } from '../format/networks.ts';
import { flag, list, text } from '../options.ts';

export class NetworkLs extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'List networks',
    examples: [['Names for a script', "tsbox network ls --format '{{.Name}}'"]],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  filter = list(
    '-f,--filter',
    'KEY=VALUE',
    'Only those that match: name, id, driver, label, type, scope, dangling',
  );
  format = text('--format', 'FORMAT', "'table', 'json', or a Go template such as '{{.Name}}'");
  noTrunc = flag('--no-trunc', 'Whole ids');
  quiet = flag('-q,--quiet', 'Only ids');

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    const networks = await tsbox.networks({ filters: parseFilters(this.filter) });
    const format = this.quiet && this.format === undefined ? '{{.ID}}' : this.format;
    await printList(
      this.context,
      NETWORK_SHAPE,
      networks.map(network => networkRow(network, this.noTrunc)),
      format,
    );
    return 0;
  }
}
