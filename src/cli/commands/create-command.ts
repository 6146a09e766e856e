import type { CreateOptions, HealthOptions } from '../../index.ts';
import { Option } from '../clipanion.ts';
import { Verb } from '../command.ts';
import { checkEnv, readEnvFiles } from '../env-file.ts';
import { flag, list, text, toggle } from '../options.ts';
import { resourceOptions } from '../resource-flags.ts';
import { bytes, defined, given, integer, oneOf, pairs } from '../values.ts';

const PROCESS = { group: 'The command' };
const FILES = { group: 'Files' };
const NETWORK = { group: 'Network' };
const SECURITY = { group: 'Security' };
const LIMITS = { group: 'Limits' };
const IMAGE = { group: 'Image and storage' };
const LIFE = { group: 'The container' };
const HEALTH = { group: 'Health' };

/** The flags that `run` and `create` share, and the one place where they become the API's options. */
export abstract class CreateCommand extends Verb {
  interactive = flag('-i,--interactive', 'Keep stdin open', PROCESS);
  tty = flag('-t,--tty', 'Give the command a terminal', PROCESS);
  attach = list('-a,--attach', 'STREAM', 'Connect only stdin, stdout or stderr', PROCESS);
  env = list('-e,--env', 'NAME[=VALUE]', 'Set a variable, or pass on yours', PROCESS);
  envFile = list('--env-file', 'FILE', 'Read variables from a file', PROCESS);
  workdir = text('-w,--workdir', 'DIR', 'Working directory inside', PROCESS);
  user = text('-u,--user', 'USER[:GROUP]', 'Run as this user, by name or number', PROCESS);
  groupAdd = list(
    '--group-add',
    'GROUP',
    'A further group of the user, or keep-groups: all of yours',
    PROCESS,
  );
  entrypoint = text('--entrypoint', 'PROGRAM', "Replace the image's entrypoint", PROCESS);
  init = flag('--init', 'Run a small init as pid 1 that forwards signals and reaps', PROCESS);

  name = text('--name', 'NAME', 'Name the container', LIFE);
  autoRemove = flag('--rm', 'Remove the container and its anonymous volumes when it has ended', LIFE);
  label = list('-l,--label', 'KEY=VALUE', 'Set a label', LIFE);
  labelFile = list('--label-file', 'FILE', 'Read labels from a file', LIFE);
  cidfile = text('--cidfile', 'FILE', "Write the container's id to a file that does not exist yet", LIFE);
  annotation = list(
    '--annotation',
    'KEY=VALUE',
    "Set an annotation of the OCI runtime's configuration",
    LIFE,
  );
  restart = text('--restart', 'POLICY', 'no (default), on-failure[:MAX], always, unless-stopped', LIFE);
  stopSignal = text('--stop-signal', 'SIGNAL', "Signal of 'tsbox stop'", LIFE);
  stopTimeout = text('--stop-timeout', 'SECONDS', 'Seconds between the stop signal and SIGKILL', LIFE);
  logDriver = text('--log-driver', 'NAME', 'json-file (default), local, k8s-file or none', LIFE);
  logOpt = list('--log-opt', 'KEY=VALUE', 'max-size=10m, max-file=3', LIFE);

  healthCmd = text('--health-cmd', 'COMMAND', 'Run this in the container to see whether it is well', HEALTH);
  healthInterval = text('--health-interval', 'TIME', 'Time between two checks (30s)', HEALTH);
  healthTimeout = text('--health-timeout', 'TIME', 'A check that takes longer has failed (30s)', HEALTH);
  healthRetries = text('--health-retries', 'NUMBER', 'Failures in a row that make it unhealthy (3)', HEALTH);
  healthStartPeriod = text('--health-start-period', 'TIME', 'Failures before that do not count (0s)', HEALTH);
  healthStartInterval = text(
    '--health-start-interval',
    'TIME',
    'Time between checks until then (5s)',
    HEALTH,
  );
  noHealthcheck = flag('--no-healthcheck', "Do not run the image's check", HEALTH);

  volume = list('-v,--volume', 'SOURCE:TARGET[:ro]', 'Mount a directory, file or named volume', FILES);
  tmpfs = list('--tmpfs', 'TARGET[:OPTIONS]', 'Mount an empty file system in memory', FILES);
  mount = list(
    '--mount',
    'type=TYPE,…',
    'Mount a bind, volume or tmpfs, with all that it can be told',
    FILES,
  );
  volumesFrom = list('--volumes-from', 'CONTAINER[:ro]', 'Mount what another container has mounted', FILES);
  device = list('--device', 'DEVICE', "Give a device of this machine, or one of CDI's", FILES);
  gpus = text('--gpus', 'WHICH', 'Give NVIDIA GPUs as the CDI files describe them: all, 2, device=0', FILES);
  readOnly = flag('--read-only', 'Make the root file system read-only', FILES);
  shmSize = text('--shm-size', 'BYTES', 'Size of /dev/shm', FILES);

  network = list(
    '--network,--net',
    'NETWORK',
    'slirp4netns (default), pasta, none, host, container:NAME, or a network of yours',
    NETWORK,
  );
  publish = list(
    '-p,--publish',
    '[IP:][HOST:]PORT',
    "Make a port of the container one of this machine's",
    NETWORK,
  );
  hostname = text('-h,--hostname', 'NAME', 'Host name inside', NETWORK);
  domainname = text('--domainname', 'NAME', 'NIS domain name inside', NETWORK);
  addHost = list('--add-host', 'HOST:IP', 'Add a line to /etc/hosts', NETWORK);
  dns = list('--dns', 'IP', 'Ask this name server', NETWORK);
  dnsSearch = list('--dns-search', 'DOMAIN', 'Complete names with this domain', NETWORK);
  dnsOption = list('--dns-option,--dns-opt', 'OPTION', 'An option of resolv.conf', NETWORK);
  expose = list('--expose', 'PORT', 'A port that the container listens on', NETWORK);
  publishAll = flag('-P,--publish-all', 'Publish each exposed port on a free one', NETWORK);
  ip = text('--ip', 'IP', 'Its IPv4 address, where the network lets one choose', NETWORK);
  ip6 = text('--ip6', 'IP', 'Its IPv6 address, where the network lets one choose', NETWORK);
  macAddress = text(
    '--mac-address',
    'MAC',
    'Its hardware address, where the network lets one choose',
    NETWORK,
  );
  linkLocalIp = list('--link-local-ip', 'IP', 'A further, link-local address', NETWORK);
  networkAlias = list('--network-alias,--net-alias', 'NAME', 'A further name in its network', NETWORK);

  capAdd = list('--cap-add', 'CAP', 'Add a capability, or ALL', SECURITY);
  capDrop = list('--cap-drop', 'CAP', 'Take a capability away, or ALL', SECURITY);
  securityOpt = list(
    '--security-opt',
    'OPTION',
    'no-new-privileges, seccomp=unconfined, seccomp=FILE, systempaths=unconfined, userns=allow',
    SECURITY,
  );
  strict = flag('--strict', 'What cannot be enforced on this machine is an error', SECURITY);
  requireSignature = flag('--require-signature', 'Only an image whose signature is verified', SECURITY);
  signaturePolicy = text('--signature-policy', 'FILE', 'A containers-policy.json', SECURITY);
  privileged = flag('--privileged', 'Everything that the user namespace can give', SECURITY);
  userns = text('--userns', 'MODE', 'auto (default), ranges, single, keep-id[:uid=,gid=]', SECURITY);
  pid = text(
    '--pid',
    'MODE',
    'host: see the processes of this machine; container:NAME: those of that one',
    SECURITY,
  );
  ipc = text('--ipc', 'MODE', 'host, none, shareable, container:NAME or private (default)', SECURITY);
  uts = text('--uts', 'MODE', "host: this machine's host name", SECURITY);
  cgroupns = text('--cgroupns', 'MODE', 'host: see the control groups of this machine', SECURITY);
  rootEmulation = toggle(
    '--root-emulation',
    'Let chown, setuid … succeed where only one user id exists',
    SECURITY,
  );

  memory = text('-m,--memory', 'BYTES', 'Kill what takes more memory', LIMITS);
  memoryReservation = text('--memory-reservation', 'BYTES', 'What it keeps when others need memory', LIMITS);
  memorySwap = text('--memory-swap', 'BYTES', 'Memory and swap together; -1: no limit', LIMITS);
  cpus = text('--cpus', 'NUMBER', 'Processors: 1.5', LIMITS);
  cpuPeriod = text('--cpu-period', 'MICROSECONDS', 'Length of a period of the scheduler', LIMITS);
  cpuQuota = text('--cpu-quota', 'MICROSECONDS', 'Time that it may run in each period', LIMITS);
  cpuShares = text('-c,--cpu-shares', 'NUMBER', 'Its part when all want to run; 1024 is usual', LIMITS);
  cpuWeight = text('--cpu-weight', 'NUMBER', "The same in the kernel's measure, 1 to 10000", LIMITS);
  cpusetCpus = text('--cpuset-cpus', 'LIST', 'Processors it may run on: 0-2,4', LIMITS);
  cpusetMems = text('--cpuset-mems', 'LIST', 'Memory nodes it may use', LIMITS);
  pidsLimit = text('--pids-limit', 'NUMBER', 'Processes and threads; -1: no limit', LIMITS);
  blkioWeight = text('--blkio-weight', 'NUMBER', 'Its part of the disks, 10 to 1000', LIMITS);
  memorySwappiness = text(
    '--memory-swappiness',
    'NUMBER',
    'Refused: not in the second version of cgroups',
    LIMITS,
  );
  oomKillDisable = flag('--oom-kill-disable', 'Refused: not in the second version of cgroups', LIMITS);
  blkioWeightDevice = list('--blkio-weight-device', 'DEVICE:WEIGHT', 'Its part of one disk', LIMITS);
  deviceReadBps = list('--device-read-bps', 'DEVICE:BYTES', 'Read no more a second from a disk', LIMITS);
  deviceWriteBps = list('--device-write-bps', 'DEVICE:BYTES', 'Write no more a second to a disk', LIMITS);
  deviceReadIops = list('--device-read-iops', 'DEVICE:NUMBER', 'Read no more often a second', LIMITS);
  deviceWriteIops = list('--device-write-iops', 'DEVICE:NUMBER', 'Write no more often a second', LIMITS);
  limits = text(
    '--limits',
    'MODE',
    'strict (default), or best-effort where a limit cannot be enforced',
    LIMITS,
  );
  cgroupParent = text(
    '--cgroup-parent',
    'PATH',
    'Make its control group below this one, or in this slice',
    LIMITS,
  );
  ulimit = list('--ulimit', 'NAME=SOFT[:HARD]', 'Set a resource limit', LIMITS);
  oomScoreAdj = text(
    '--oom-score-adj',
    'NUMBER',
    'Be killed sooner (1000) or later (-1000) when memory runs out',
    LIMITS,
  );
  sysctl = list('--sysctl', 'KEY=VALUE', "Set a kernel parameter of the container's namespaces", LIMITS);

  pull = text('--pull', 'WHEN', 'Pull the image always, missing (default) or never', IMAGE);
  platform = text('--platform', 'OS/ARCH', 'Choose among the variants of an image', IMAGE);
  quiet = flag('-q,--quiet', 'Show no progress while pulling', IMAGE);
  storageDriver = text('--storage-driver', 'NAME', 'auto (default), overlay, fuse-overlayfs, vfs', IMAGE);

  image = Option.String();
  command = Option.Proxy();

  /** Throws TsboxError USAGE for a value that cannot be meant; the engine checks the rest. */
  protected async createOptions(): Promise<CreateOptions> {
    return {
      image: this.image,
      ...(await this.#process()),
      ...(await this.#life()),
      ...this.#network(),
      ...this.#world(),
    };
  }

  async #process(): Promise<Partial<CreateOptions>> {
    const env = [...(await readEnvFiles('--env-file', this.envFile)), ...checkEnv(this.env)];
    return defined<Partial<CreateOptions>>({
      command: given(this.command),
      entrypoint: this.entrypoint === undefined ? undefined : [this.entrypoint].filter(word => word !== ''),
      env: given(env),
      callerEnv: env.length > 0 ? this.context.env : undefined,
      workdir: this.workdir,
      user: this.user,
      groupAdd: given(this.groupAdd),
      interactive: this.interactive,
      tty: this.tty,
      init: this.init,
    });
  }

  async #life(): Promise<Partial<CreateOptions>> {
    const labels = [...(await readEnvFiles('--label-file', this.labelFile)), ...this.label];
    return defined<Partial<CreateOptions>>({
      name: this.name,
      labels: pairs('--label', labels),
      autoRemove: this.autoRemove,
      cidfile: this.cidfile,
      annotations: pairs('--annotation', this.annotation),
      restart: this.restart,
      health: this.#health(),
      logDriver: this.logDriver,
      logOptions: given(this.logOpt),
      stopSignal: this.stopSignal,
      stopTimeout: integer('--stop-timeout', this.stopTimeout),
      pull: oneOf('--pull', this.pull, ['always', 'missing', 'never']),
      platform: this.platform,
      storageDriver: oneOf('--storage-driver', this.storageDriver, [
        'auto',
        'overlay',
        'fuse-overlayfs',
        'vfs',
        'host',
      ]),
    });
  }

  #health(): HealthOptions | undefined {
    const health = defined<HealthOptions>({
      cmd: this.healthCmd,
      interval: this.healthInterval,
      timeout: this.healthTimeout,
      retries: integer('--health-retries', this.healthRetries),
      startPeriod: this.healthStartPeriod,
      startInterval: this.healthStartInterval,
      none: this.noHealthcheck || undefined,
    });
    return Object.keys(health).length > 0 ? health : undefined;
  }

  #network(): Partial<CreateOptions> {
    return defined<Partial<CreateOptions>>({
      network: this.network[0],
      networks: given(this.network.slice(1)),
      linkLocalIps: given(this.linkLocalIp),
      publish: given(this.publish),
      publishAll: this.publishAll || undefined,
      expose: given(this.expose),
      hostname: this.hostname,
      domainname: this.domainname,
      addHost: given(this.addHost),
      dns: given(this.dns),
      dnsSearch: given(this.dnsSearch),
      dnsOptions: given(this.dnsOption),
      ip: this.ip,
      ip6: this.ip6,
      macAddress: this.macAddress,
      networkAliases: given(this.networkAlias),
    });
  }

  #world(): Partial<CreateOptions> {
    return defined<Partial<CreateOptions>>({
      volumes: given(this.volume),
      tmpfs: given(this.tmpfs),
      readOnly: this.readOnly,
      shmSize: bytes('--shm-size', this.shmSize),
      mounts: given(this.mount),
      volumesFrom: given(this.volumesFrom),
      devices: given(this.device),
      gpus: this.gpus,
      capAdd: given(this.capAdd),
      capDrop: given(this.capDrop),
      securityOpt: given(this.securityOpt),
      privileged: this.privileged,
      strict: this.strict || undefined,
      requireSignature: this.requireSignature || undefined,
      signaturePolicy: this.signaturePolicy,
      userns: this.userns,
      pid: this.pid,
      ipc: this.ipc,
      uts: this.uts,
      rootEmulation: this.rootEmulation,
      ulimits: given(this.ulimit),
      oomScoreAdj: integer('--oom-score-adj', this.oomScoreAdj),
      sysctls: pairs('--sysctl', this.sysctl),
      resources: resourceOptions(this, this),
      limits: this.limits,
      cgroupParent: this.cgroupParent,
      cgroupns: this.cgroupns,
    });
  }
}
