import { writeFileSync } from 'node:fs';
import { TsboxError } from '../../errors.ts';
import type { BuildEvent, BuildOptions, BuildResult } from '../../index.ts';
import {
  parseBuildArgs,
  parseBuildContexts,
  parseBuildOutput,
  parseSecret,
  parseSsh,
} from '../build-values.ts';
import { Option } from '../clipanion.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import type { Api } from '../context.ts';
import { type BuildProgressMode, type BuildView, openBuildView } from '../format/build-progress.ts';
import { openInput } from '../input.ts';
import { flag, list, text } from '../options.ts';
import { bytes, defined, given, integer, oneOf, pairs } from '../values.ts';

const CACHE = { group: 'Cache' };
const RUN = { group: 'RUN' };
const RESULT = { group: 'The result' };
const HIDDEN = { hidden: true };

export class Build extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS] PATH | URL | -',
    summary: 'Build an image from a Dockerfile',
    details:
      'The context is a directory, a tar archive, a URL of one, a git repository (https://host/name.git#ref:subdir), or - for ' +
      'an archive or a Dockerfile on stdin. Files that .dockerignore lists stay out. Each instruction is a layer, kept as ' +
      'cache for the next build. The exit status is 1 when an instruction fails.',
    examples: [
      ['The directory where you are', 'tsbox build -t app:1 .'],
      ['One stage, with an argument', 'tsbox build --target test --build-arg VERSION=3.1 .'],
      ['A Dockerfile without a context', 'tsbox build -t tools - < Dockerfile'],
      ['From a repository', 'tsbox build -t app https://github.com/user/app.git#main:docker'],
      ['A secret that no layer holds', 'tsbox build --secret id=token,src=$HOME/.token .'],
      ['The files alone', 'tsbox build -o out .'],
    ],
  };
  static readonly operands: Operands = { min: 1, max: 1 };

  file = text('-f,--file', 'FILE', "The Dockerfile (PATH/Dockerfile), '-' for stdin");
  target = text('--target', 'STAGE', 'Build up to this stage');
  buildArg = list('--build-arg', 'NAME=VALUE', 'Value of an ARG; of yours without a value');
  buildContext = list('--build-context', 'NAME=VALUE', 'Another directory, URL or image for FROM and --from');
  platform = text('--platform', 'OS/ARCH', 'What the image is for');
  pull = flag('--pull', 'Ask the registries for newer base images');
  check = flag('--check', 'Only look for mistakes');
  call = text('--call', 'METHOD', "'build' or 'check'", HIDDEN);
  progress = text('--progress', 'MODE', "'auto', 'plain', 'tty', 'quiet' or 'rawjson'");
  quiet = flag('-q,--quiet', 'Print the id alone');

  tag = list('-t,--tag', 'NAME[:TAG]', 'Name of the image', RESULT);
  label = list('--label', 'NAME=VALUE', 'Label of the image', RESULT);
  annotation = list('--annotation', 'NAME=VALUE', "Annotation of the image's manifest", RESULT);
  output = list('-o,--output', 'SPEC', 'type=local|tar|oci|docker,dest=PATH, or a directory', RESULT);
  iidfile = text('--iidfile', 'FILE', 'Write the id to a file', RESULT);
  metadataFile = text('--metadata-file', 'FILE', 'Write ids and names as JSON to a file', RESULT);
  squash = flag('--squash', 'One layer over the base', RESULT);
  push = flag('--push', 'Push it under its names', RESULT);
  load = flag('--load', 'List it among the images (always so)', HIDDEN);

  noCache = flag('--no-cache', 'Do every step again', CACHE);
  noCacheFilter = list('--no-cache-filter', 'STAGE', 'Do the steps of these stages again', CACHE);
  cacheFrom = list('--cache-from', 'IMAGE', 'Take layers of this image for equal steps', CACHE);

  network = text('--network', 'NETWORK', "'default', 'none', 'host' or a network", RUN);
  allow = list('--allow', 'WHAT', "What RUN may ask for: 'network.host', 'security.insecure'", RUN);
  secret = list('--secret', 'SPEC', 'id=NAME,src=FILE or id=NAME,env=VARIABLE', RUN);
  ssh = list('--ssh', 'SPEC', "'default' or ID=SOCKET of an agent", RUN);
  addHost = list('--add-host', 'HOST:IP', 'Line of /etc/hosts', RUN);
  shmSize = text('--shm-size', 'BYTES', 'Size of /dev/shm', RUN);
  ulimit = list('--ulimit', 'NAME=SOFT[:HARD]', 'Limit of resources', RUN);
  memory = text('-m,--memory', 'BYTES', 'Limit of memory', RUN);
  memorySwap = text('--memory-swap', 'BYTES', 'Limit of memory and swap together', RUN);
  cpuShares = text('-c,--cpu-shares', 'N', 'Weight among others', RUN);
  cpuPeriod = text('--cpu-period', 'MICROSECONDS', 'Period of the CPU quota', RUN);
  cpuQuota = text('--cpu-quota', 'MICROSECONDS', 'CPU time in a period', RUN);
  cpusetCpus = text('--cpuset-cpus', 'LIST', 'CPUs that may be used (0-3, 0,1)', RUN);
  cpusetMems = text('--cpuset-mems', 'LIST', 'Memory nodes that may be used', RUN);
  cgroupParent = text('--cgroup-parent', 'PATH', 'Cgroup above', RUN);
  securityOpt = list('--security-opt', 'OPTION', 'Security options', RUN);

  rm = flag('--rm', 'Nothing is left of RUN in any case', HIDDEN);
  forceRm = flag('--force-rm', 'Nothing is left of RUN in any case', HIDDEN);
  compress = flag('--compress', 'The context goes nowhere', HIDDEN);

  context_ = Option.String();

  override async execute(): Promise<number> {
    const mode = this.#mode();
    const isCheck = this.check || this.#called() === 'check';
    const options = await this.#options();
    const tsbox = await this.open({ interruptible: true, quiet: mode === 'quiet' });
    const view = await openBuildView(this.context, mode);
    this.reporter?.show(view);
    const result = await this.#build(tsbox, { ...options, check: isCheck }, view);
    if (isCheck) return this.#checked(result);
    this.#files(result);
    if (this.push) await this.#push(tsbox, result);
    if (mode === 'quiet' && result.id !== undefined) this.print(result.id);
    return 0;
  }

  async #build(tsbox: Api, options: BuildOptions, view: BuildView): Promise<BuildResult> {
    try {
      return await tsbox.build({ ...options, onEvent: (event: BuildEvent) => view.event(event) });
    } finally {
      view.finish();
    }
  }

  #mode(): BuildProgressMode {
    if (this.quiet) return 'quiet';
    const asked = this.progress ?? this.context.env.BUILDKIT_PROGRESS;
    return oneOf('--progress', asked, ['auto', 'plain', 'tty', 'quiet', 'rawjson'] as const) ?? 'auto';
  }

  #called(): string {
    return (
      oneOf('--call', this.call, ['build', 'check', 'lint'] as const)?.replace('lint', 'check') ?? 'build'
    );
  }

  async #options(): Promise<BuildOptions> {
    const { target, platform, squash, network } = this;
    const { env } = this.context;
    return defined<BuildOptions>({
      ...(await this.#sources()),
      ...this.#limits(),
      target,
      platform,
      squash: squash || undefined,
      network,
      callerEnv: env,
      tags: given(this.tag),
      buildArgs: parseBuildArgs(this.buildArg),
      buildContexts: parseBuildContexts(this.buildContext),
      labels: pairs('--label', this.label),
      annotations: pairs('--annotation', this.annotation.map(plainAnnotation)),
      pull: this.pull || undefined,
      noCache: this.noCache || undefined,
      noCacheFilter: given(this.noCacheFilter.flatMap(names => names.split(','))),
      cacheFrom: given(this.cacheFrom.map(imageOfCache)),
      secrets: given(this.secret.map(value => parseSecret(value, env))),
      ssh: given(this.ssh.map(parseSsh)),
      allow: given(this.allow.flatMap(words => words.split(','))),
      outputs: given(this.output.map(value => parseBuildOutput(value, () => process.stdout))),
      sourceDateEpoch: integer('SOURCE_DATE_EPOCH', env.SOURCE_DATE_EPOCH),
    });
  }

  #limits(): Partial<BuildOptions> {
    const { cpusetCpus, cpusetMems, cgroupParent } = this;
    return defined<BuildOptions>({
      addHost: given(this.addHost),
      shmSize: bytes('--shm-size', this.shmSize),
      ulimits: given(this.ulimit),
      memory: bytes('--memory', this.memory),
      memorySwap: this.memorySwap === '-1' ? -1 : bytes('--memory-swap', this.memorySwap),
      cpuShares: integer('--cpu-shares', this.cpuShares),
      cpuPeriod: integer('--cpu-period', this.cpuPeriod),
      cpuQuota: integer('--cpu-quota', this.cpuQuota),
      cpusetCpus,
      cpusetMems,
      cgroupParent,
      securityOpt: given(this.securityOpt),
    });
  }

  /** Context and Dockerfile; one of them may come from stdin. */
  async #sources(): Promise<Pick<BuildOptions, 'context' | 'dockerfile' | 'dockerfileText'>> {
    const { file, context_ } = this;
    if (file === '-' && context_ === '-')
      throw new TsboxError('USAGE', 'context and Dockerfile cannot both come from stdin');
    if (file === '-') {
      const input = await openInput('-', this.context);
      const pieces: Buffer[] = [];
      for await (const piece of input) pieces.push(Buffer.from(piece));
      return { context: context_, dockerfileText: Buffer.concat(pieces).toString() };
    }
    const dockerfile = file === undefined ? {} : { dockerfile: file };
    if (context_ !== '-') return { context: context_, ...dockerfile };
    const input = await openInput('-', this.context);
    return { context: input as NonNullable<BuildOptions['context']>, ...dockerfile };
  }

  #checked({ warnings }: BuildResult): number {
    for (const { message, file, range } of warnings)
      this.print(`WARNING: ${message}${range ? ` (${file ?? 'Dockerfile'}:${range.start.line})` : ''}`);
    this.print(
      warnings.length === 0
        ? 'Check complete, no warnings found.'
        : `Check complete, ${warnings.length} warnings found.`,
    );
    return warnings.length === 0 ? 0 : 1;
  }

  #files({ id, digest, names }: BuildResult): void {
    if (this.iidfile !== undefined && id !== undefined) writeFileSync(this.iidfile, id);
    if (this.metadataFile === undefined) return;
    const document = {
      'containerimage.config.digest': id,
      'containerimage.digest': digest,
      'image.name': names.join(','),
    };
    writeFileSync(this.metadataFile, `${JSON.stringify(document, null, 2)}\n`);
  }

  async #push(tsbox: Api, { names }: BuildResult): Promise<void> {
    if (names.length === 0)
      throw new TsboxError('USAGE', '--push needs a name', { hint: 'give it one with -t' });
    for (const name of names) await tsbox.push(name);
  }
}

/** buildx writes which documents an annotation is for: `manifest:name=value`. Here there is the manifest alone. */
const plainAnnotation = (word: string): string => word.replace(/^manifest(?:\[[^\]]*\])?:/, '');

/** `type=registry,ref=IMAGE` or the image itself. */
function imageOfCache(value: string): string {
  if (!value.includes('=')) return value;
  const ref = /(?:^|,)ref=([^,]+)/.exec(value)?.[1];
  if (ref !== undefined && /(?:^|,)type=registry(?:,|$)/.test(value)) return ref;
  throw new TsboxError('USAGE', `invalid value '${value}' for --cache-from`, {
    hint: 'it takes an image, or type=registry,ref=IMAGE',
  });
}
