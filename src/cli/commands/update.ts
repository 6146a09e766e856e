import type { UpdateOptions } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { DELEGATED, type HelpText, type Operands, Verb } from '../command.ts';
import { forEachName } from '../each.ts';
import { text } from '../options.ts';
import { resourceOptions } from '../resource-flags.ts';
import { defined } from '../values.ts';

export class Update extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary: 'Change limits of containers, and how they are kept up',
    examples: [
      ['Half a processor, from now on', 'tsbox update --cpus 0.5 web', { where: DELEGATED }],
      ['Keep it up from now on', 'tsbox update --restart unless-stopped web'],
    ],
  };
  static readonly operands: Operands = { min: 1, max: Number.POSITIVE_INFINITY };

  restart = text('--restart', 'POLICY', 'no, always, unless-stopped, on-failure or on-failure:3');
  memory = text('-m,--memory', 'BYTES', 'Kill what takes more memory');
  memoryReservation = text('--memory-reservation', 'BYTES', 'What it keeps when others need memory');
  memorySwap = text('--memory-swap', 'BYTES', 'Memory and swap together; -1: no limit');
  cpus = text('--cpus', 'NUMBER', 'Processors: 1.5');
  cpuPeriod = text('--cpu-period', 'MICROSECONDS', 'Length of a period of the scheduler');
  cpuQuota = text('--cpu-quota', 'MICROSECONDS', 'Time that it may run in each period');
  cpuShares = text('-c,--cpu-shares', 'NUMBER', 'Its part when all want to run; 1024 is usual');
  cpuWeight = text('--cpu-weight', 'NUMBER', "The same in the kernel's measure, 1 to 10000");
  cpusetCpus = text('--cpuset-cpus', 'LIST', 'Processors it may run on: 0-2,4');
  cpusetMems = text('--cpuset-mems', 'LIST', 'Memory nodes it may use');
  pidsLimit = text('--pids-limit', 'NUMBER', 'Processes and threads; -1: no limit');
  blkioWeight = text('--blkio-weight', 'NUMBER', 'Its part of the disks, 10 to 1000');
  names = Option.Rest();

  override async execute(): Promise<number> {
    const options = defined<UpdateOptions>({ restart: this.restart, resources: resourceOptions(this) });
    const tsbox = await this.open();
    await forEachName(
      this.context,
      this.names,
      name => tsbox.update(name, options),
      (_, name) => this.print(name),
    );
    return 0;
  }
}
