import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { flag, list, text, toggle } from '../options.ts';
import { defined, given } from '../values.ts';

export class Commit extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
    summary: "Make an image of a container's files and settings",
    details: 'What is mounted in the container (volumes, tmpfs) is not part of the image.',
    examples: [
      ['Keep what was done by hand, and say how to start it', `tsbox commit -c 'CMD ["nginx"]' web app:2`],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 2 };

  author = text('-a,--author', 'NAME', 'Who made it, e.g. "Ada <ada@example.com>"');
  change = list('-c,--change', 'INSTRUCTION', 'A Dockerfile instruction for the settings: CMD, ENV, USER …');
  message = text('-m,--message', 'TEXT', "What the image's history says");
  pause = toggle('-p,--pause', 'Stop the container meanwhile (default true)');
  quiet = flag('-q,--quiet', 'No warnings, only the id');
  container = Option.String();
  reference = Option.String({ required: false });

  override async execute(): Promise<number> {
    const tsbox = await this.open({ interruptible: true, quiet: this.quiet });
    const { author, message, pause, reference } = this;
    const options = defined({ author, message, pause, reference, changes: given(this.change) });
    this.print(await tsbox.commit(this.container, options));
    return 0;
  }
}
