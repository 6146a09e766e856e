import { arch, cpus, release, totalmem } from 'node:os';
import { type HelpText, type Operands, Verb } from '../command.ts';
import type { Api } from '../context.ts';
import { humanSize } from '../format/human.ts';
import { columns } from '../format/table.ts';
import { formatted } from '../inspect.ts';
import { text } from '../options.ts';
import { VERSION } from '../version.ts';

export class Info extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'Show what is in the store and on which machine',
    details: "'tsbox doctor' says what works on this machine.",
    examples: [['Where the store is', "tsbox info -f '{{.DockerRootDir}}'"]],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  format = text('-f,--format', 'FORMAT', "'json' or a Go template such as '{{.DockerRootDir}}'");

  override async execute(): Promise<number> {
    const info = await gather(await this.open());
    if (this.format !== undefined) this.print(await formatted(info, this.format));
    else this.context.out.write(columns(lines(info)));
    return 0;
  }
}

type Information = Awaited<ReturnType<typeof gather>>;

/** docker's names where docker has one. */
async function gather(tsbox: Api) {
  const [containers, images, cgroup] = await Promise.all([
    tsbox.containers({ all: true }),
    tsbox.images(),
    tsbox.cgroup(),
  ]);
  const running = containers.filter(container => container.status === 'running').length;
  return {
    Containers: containers.length,
    ContainersRunning: running,
    ContainersStopped: containers.length - running,
    Images: images.length,
    DockerRootDir: tsbox.root,
    CgroupDriver: cgroup.driver,
    CgroupVersion: cgroup.version,
    CgroupPath: cgroup.path,
    KernelVersion: release(),
    OSType: 'linux',
    Architecture: arch(),
    NCPU: cpus().length,
    MemTotal: totalmem(),
    ServerVersion: VERSION,
  };
}

const lines = (info: Information): string[][] => [
  ['Containers:', String(info.Containers)],
  [' Running:', String(info.ContainersRunning)],
  [' Stopped:', String(info.ContainersStopped)],
  ['Images:', String(info.Images)],
  ['Version:', info.ServerVersion],
  ['Root Dir:', info.DockerRootDir],
  ['Cgroup Driver:', [info.CgroupDriver, info.CgroupPath].join(' ').trim()],
  ['Cgroup Version:', info.CgroupVersion],
  ['Kernel Version:', info.KernelVersion],
  ['OSType:', info.OSType],
  ['Architecture:', info.Architecture],
  ['CPUs:', String(info.NCPU)],
  ['Total Memory:', humanSize(info.MemTotal)],
];
