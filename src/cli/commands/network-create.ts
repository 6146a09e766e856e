import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { flag, list, text } from '../options.ts';
import { defined, given, pairs } from '../values.ts';

export class NetworkCreate extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] NETWORK',
    summary: 'Create a network on which containers find one another by name',
    examples: [
      [
        'Two containers that talk',
        'tsbox network create backend && tsbox run -d --network backend --name db postgres',
      ],
      ['Nothing gets out', 'tsbox network create --internal lab'],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 1 };

  driver = text('-d,--driver', 'NAME', "Only 'bridge'");
  subnet = list('--subnet', 'SUBNET', 'Addresses of the network: 172.30.0.0/16; one of each family');
  gateway = list('--gateway', 'IP', "The network's own address");
  ipRange = list('--ip-range', 'SUBNET', 'Give out addresses of this part of the subnet only');
  auxAddress = list('--aux-address', 'NAME=IP', 'An address that no container gets');
  internal = flag('--internal', 'No way out of the network');
  ipv6 = flag('--ipv6', 'IPv6, too');
  label = list('--label', 'KEY=VALUE', 'Set a label');
  opt = list('-o,--opt', 'KEY=VALUE', 'mtu=1500');
  name = Option.String();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    const options = defined<NonNullable<Parameters<typeof tsbox.createNetwork>[1]>>({
      driver: this.driver,
      subnets: given(this.subnet),
      gateways: given(this.gateway),
      ipRanges: given(this.ipRange),
      auxAddresses: pairs('--aux-address', this.auxAddress),
      internal: this.internal,
      ipv6: this.ipv6,
      labels: pairs('--label', this.label),
      options: pairs('--opt', this.opt),
    });
    this.print(await tsbox.createNetwork(this.name, options));
    return 0;
  }
}
