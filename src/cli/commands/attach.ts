import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { flag, text, toggle } from '../options.ts';
import { statusOf } from '../streams.ts';

export class Attach extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] CONTAINER',
    summary: 'Connect your terminal to a running container',
    details: 'ctrl-p ctrl-q leaves a container with a terminal running.',
    examples: [
      [
        'Watch it until Ctrl-C, which is not for the container',
        'tsbox attach --no-stdin --sig-proxy=false web',
        { keys: '\x03', status: 130 },
      ],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 1 };

  noStdin = flag('--no-stdin', 'Do not connect stdin');
  sigProxy = toggle('--sig-proxy', 'Pass signals on to the command (default true)');
  detachKeys = text('--detach-keys', 'KEYS', 'Keys that leave the container running (ctrl-p,ctrl-q)');
  container = Option.String();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    const attached = await tsbox.attach(this.container, {
      stdio: 'inherit',
      stdin: !this.noStdin,
      ...(this.sigProxy === undefined ? {} : { sigProxy: this.sigProxy }),
      ...(this.detachKeys === undefined ? {} : { detachKeys: this.detachKeys }),
    });
    return statusOf(attached, this.context);
  }
}
