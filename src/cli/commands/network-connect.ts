import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { list, text } from '../options.ts';
import { defined, given } from '../values.ts';

export class NetworkConnect extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] NETWORK CONTAINER',
    summary: 'Give a container an interface in one more network',
    examples: [['Under a name of its own', 'tsbox network connect --alias cache lab db']],
  };
  static readonly operands: Operands = { min: 2, max: 2 };

  alias = list('--alias', 'NAME', 'A further name in that network');
  ip = text('--ip', 'IP', 'Its IPv4 address there');
  ip6 = text('--ip6', 'IP', 'Its IPv6 address there');
  linkLocalIp = list('--link-local-ip', 'IP', 'A further, link-local address');
  network = Option.String();
  container = Option.String();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    const options = defined<NonNullable<Parameters<typeof tsbox.connectNetwork>[2]>>({
      aliases: given(this.alias),
      ip: this.ip,
      ip6: this.ip6,
      linkLocalIps: given(this.linkLocalIp),
    });
    await tsbox.connectNetwork(this.network, this.container, options);
    return 0;
  }
}
