import { TsboxError } from '../../errors.ts';
import type { ContainerSummary } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';

type Port = ContainerSummary['ports'][number];

export class Port_ extends Verb {
  static readonly help: HelpText = {
    operands: 'CONTAINER [PORT[/PROTOCOL]] | add CONTAINER PUBLISH… | rm CONTAINER PUBLISH…',
    summary: 'Show the published ports of a container, or change them while it runs',
    examples: [
      ['Where its port 80 is', 'tsbox port web 80'],
      ['One more, without a restart', 'tsbox port add web 127.0.0.1:8443:443'],
      ['No longer', 'tsbox port rm web 8080:80'],
    ],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  words = Option.Rest();

  override async execute(): Promise<number> {
    const [first = '', second, ...rest] = this.words;
    // A container may have such a name: `port add` and `port add 80` show its ports.
    const change =
      (first === 'add' || first === 'rm') && second !== undefined && !/^\d{1,5}(\/\w+)?$/.test(second);
    return change ? this.change(first, second, rest) : this.show(first, second, rest);
  }

  private async change(verb: 'add' | 'rm', container: string, specs: readonly string[]): Promise<number> {
    const tsbox = await this.open();
    if (verb === 'rm' && specs.length === 0)
      throw new TsboxError('USAGE', 'which port? None is named', {
        hint: `tsbox port rm ${container} 8080:80`,
      });
    const done =
      verb === 'add' ? await tsbox.publish(container, specs) : await tsbox.unpublish(container, specs);
    for (const port of done) this.print(line(port));
    return 0;
  }

  private async show(
    container: string,
    wanted: string | undefined,
    rest: readonly string[],
  ): Promise<number> {
    if (rest.length > 0)
      throw new TsboxError('USAGE', `unexpected argument ${JSON.stringify(rest[0])}`, {
        hint: `tsbox port add ${container} … publishes more`,
      });
    const tsbox = await this.open();
    const ports = await tsbox.ports(container);
    if (wanted === undefined) {
      for (const port of ports) this.print(line(port));
      return 0;
    }
    const [number = '', protocol = 'tcp'] = wanted.split('/');
    const found = ports.filter(p => p.containerPort === Number(number) && p.protocol === protocol);
    if (found.length === 0) {
      throw new TsboxError('NOT_FOUND', `no public port '${wanted}' published for ${container}`, {
        hint: `'tsbox port ${container}' lists them`,
      });
    }
    for (const port of found) this.print(address(port));
    return 0;
  }
}

const line = (port: Port): string => `${port.containerPort}/${port.protocol} -> ${address(port)}`;

const address = ({ hostIp, hostPort }: Port): string =>
  `${hostIp.includes(':') ? `[${hostIp}]` : hostIp}:${hostPort}`;
