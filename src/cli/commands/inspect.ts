import { TsboxError } from '../../errors.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import type { Api } from '../context.ts';
import { inspectVolume } from '../format/volumes.ts';
import { printInspected } from '../inspect.ts';
import { text } from '../options.ts';
import { oneOf } from '../values.ts';

const TYPES = ['container', 'image', 'volume'] as const;
type Type = (typeof TYPES)[number];

export class Inspect extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] NAME|ID [NAME|ID...]',
    summary: "Show everything about containers, images or volumes as docker's JSON",
    examples: [
      ['One value', "tsbox inspect -f '{{.State.Pid}}' web"],
      ['A part as JSON', "tsbox inspect -f '{{json .Mounts}}' web"],
      ['The image of that name, not the container', 'tsbox inspect --type image alpine'],
    ],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  format = text('-f,--format', 'FORMAT', "'json' or a Go template such as '{{.State.Status}}'");
  type = text('--type', 'TYPE', 'Only a container, an image or a volume of that name');
  names = Option.Rest();

  override async execute(): Promise<number> {
    const type = oneOf('--type', this.type, TYPES);
    const tsbox = await this.open();
    await printInspected(this.context, this.names, name => find(tsbox, name, type), this.format);
    return 0;
  }
}

const LOOKUPS: Readonly<Record<Type, (tsbox: Api, name: string) => Promise<object>>> = {
  container: (tsbox, name) => tsbox.inspectContainer(name),
  image: (tsbox, name) => tsbox.inspectImage(name),
  volume: (tsbox, name) => inspectVolume(tsbox, name),
};

/** A container of that name, else an image, else a volume. */
async function find(tsbox: Api, name: string, type: Type | undefined): Promise<object> {
  for (const each of type === undefined ? TYPES : [type]) {
    try {
      return await LOOKUPS[each](tsbox, name);
    } catch (error) {
      if (type !== undefined || !isAbsent(error)) throw error;
    }
  }
  throw new TsboxError('NOT_FOUND', `no container, image or volume is called '${name}'`, {
    hint: "'tsbox ps -a', 'tsbox images' and 'tsbox volume ls' list them",
  });
}

/** A name that is malformed as one kind may still be another's. */
const isAbsent = (error: unknown): boolean =>
  error instanceof TsboxError && (error.code === 'NOT_FOUND' || error.code === 'BAD_REFERENCE');
