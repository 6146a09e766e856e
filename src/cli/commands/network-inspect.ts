import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { printInspected } from '../inspect.ts';
import { flag, text } from '../options.ts';

export class NetworkInspect extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] NETWORK [NETWORK...]',
    summary: 'Show everything about networks, and who is in them',
    examples: [
      ['Its addresses', "tsbox network inspect -f '{{range .IPAM.Config}}{{.Subnet}}{{end}}' backend"],
    ],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  format = text('-f,--format', 'FORMAT', "'json' or a Go template such as '{{.Id}}'");
  verbose = flag('-v,--verbose', 'As without: there are no services of a swarm', { hidden: true });
  names = Option.Rest();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    await printInspected(this.context, this.names, name => tsbox.inspectNetwork(name), this.format);
    return 0;
  }
}
