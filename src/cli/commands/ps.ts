import type { ContainerSummary } from '../../index.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { CONTAINER_SHAPE, containerRow } from '../format/containers.ts';
import { parseFilters } from '../format/filter.ts';
import { printList } from '../format/list.ts';
import { flag, list, text } from '../options.ts';
import { integer } from '../values.ts';

export class Ps extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'List containers',
    examples: [
      ['All of them, also those that have ended', 'tsbox ps -a'],
      ['Names and states for a script', "tsbox ps -a --format '{{.Names}} {{.State}}'"],
      ['What was made from an image', 'tsbox ps -a --filter ancestor=nginx'],
    ],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  all = flag('-a,--all', 'Also containers that do not run');
  filter = list('-f,--filter', 'KEY=VALUE', 'Only those that match: name, status, label, ancestor …');
  format = text('--format', 'FORMAT', "'table', 'json', or a Go template such as '{{.ID}} {{.Names}}'");
  last = text('-n,--last', 'NUMBER', 'The newest ones, whatever their state');
  latest = flag('-l,--latest', 'The newest one, whatever its state');
  noTrunc = flag('--no-trunc', 'Do not shorten anything');
  quiet = flag('-q,--quiet', 'Only ids');

  override async execute(): Promise<number> {
    const limit = this.latest ? 1 : (integer('--last', this.last) ?? -1);
    const filters = parseFilters(this.filter);
    const tsbox = await this.open();
    const all = this.all || limit > 0 || 'status' in filters || 'exited' in filters;
    const found = await tsbox.containers({ all, filters });
    await this.#show(limit > 0 ? found.slice(0, limit) : found);
    return 0;
  }

  async #show(containers: readonly ContainerSummary[]): Promise<void> {
    const options = { now: this.context.now(), noTrunc: this.noTrunc };
    const rows = containers.map(container => containerRow(container, options));
    const format = this.quiet && this.format === undefined ? '{{.ID}}' : this.format;
    await printList(this.context, CONTAINER_SHAPE, rows, format);
  }
}
