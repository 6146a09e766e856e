import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { flag } from '../options.ts';

export class GenerateSystemd extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] CONTAINER',
    summary: 'Print a systemd user unit that starts a container at boot',
    details:
      'The unit starts and stops a container that exists; what its restart policy says stays the work of its supervisor. Without ' +
      "lingering (loginctl enable-linger) a user's units run only while they are logged in.",
    examples: [
      ['Read it first', 'tsbox generate systemd web'],
      [
        'Bring it back after a reboot',
        'tsbox generate systemd --files web && systemctl --user enable --now tsbox-web',
        { where: 'systemd runs a manager for the user' },
      ],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 1 };

  files = flag('-f,--files', 'Write it to ~/.config/systemd/user and print where');
  container = Option.String();

  override async execute(): Promise<number> {
    const tsbox = await this.open();
    if (this.files) this.print(await tsbox.writeSystemdUnit(this.container));
    else this.context.out.write((await tsbox.systemdUnit(this.container)).text);
    return 0;
  }
}
