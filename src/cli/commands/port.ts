import { TsboxError } from '../../errors.ts';
import type { ContainerSummary } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';

type Port = ContainerSummary['ports'][number];

export class Port_ extends Verb {
  static readonly help: HelpText = {
    operands: 'CONTAINER [PORT[/PROTOCOL]]',
    summary: 'Show the published ports of a container',
    examples: [['Where its port 80 is', 'tsbox port web 80']],
  };
  static readonly operands: Operands = { min: 1, max: 2 };

  container = Option.String();
  port = Option.String({ required: false });

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    const ports = await tsbox.ports(this.container);
    if (this.port === undefined) {
      for (const port of ports) this.print(`${port.containerPort}/${port.protocol} -> ${address(port)}`);
      return 0;
    }
    const [number = '', protocol = 'tcp'] = this.port.split('/');
    const found = ports.filter(p => p.containerPort === Number(number) && p.protocol === protocol);
    if (found.length === 0) {
      throw new TsboxError('NOT_FOUND', `no public port '${this.port}' published for ${this.container}`, {
        hint: `'tsbox port ${this.container}' lists them`,
      });
    }
    for (const port of found) this.print(address(port));
    return 0;
  }
}

const address = ({ hostIp, hostPort }: Port): string =>
  `${hostIp.includes(':') ? `[${hostIp}]` : hostIp}:${hostPort}`;
