import { release } from 'node:os';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { columns } from '../format/table.ts';
import { formatted } from '../inspect.ts';
import { text } from '../options.ts';
import { VERSION } from '../version.ts';

export class Version extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'Show the version',
    examples: [['For a bug report', 'tsbox version']],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  format = text('-f,--format', 'FORMAT', "'json' or a Go template such as '{{.Client.Version}}'");

  override async execute(): Promise<number> {
    const client = {
      Version: VERSION,
      NodeVersion: process.versions.node,
      Os: 'linux',
      Arch: process.arch,
      KernelVersion: release(),
    };
    if (this.format !== undefined) this.print(await formatted({ Client: client, Server: null }, this.format));
    else this.context.out.write(columns(Object.entries(client).map(([key, value]) => [` ${key}:`, value])));
    return 0;
  }
}
