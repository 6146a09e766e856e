import type { Healthcheck, RunConfig } from '../oci/config.ts';
import type { ContainerRecord, HealthCheck } from '../store/container-record.ts';

/**
 * The config of an image made from a container, by docker's rule: what the container was started with, flags included, over what its
 * image says. What tsbox itself put into the environment stays out.
 */
export function committedConfig(container: ContainerRecord, image: RunConfig): RunConfig {
  // Triggers were for the build that made the container.
  const { OnBuild: _, ...inherited } = image;
  const { process: command, entrypoint, cmd, labels } = container;
  const user = userOf(container, image);
  return prune({
    ...inherited,
    User: user,
    Env: environment(container, image),
    Entrypoint: entrypoint,
    Cmd: cmd,
    WorkingDir: command.cwd === '/' ? image.WorkingDir : command.cwd,
    Labels: labels,
    ExposedPorts: exposedPorts(container),
    Volumes: volumes(container, image),
    StopSignal: command.stopSignal === 'SIGTERM' ? image.StopSignal : command.stopSignal,
    Healthcheck: healthcheck(container.healthcheck, image.Healthcheck),
  });
}

type Draft = { [K in keyof RunConfig]?: RunConfig[K] | undefined };

/** Empty means absent. */
function prune(draft: Draft): RunConfig {
  const isSaid = (value: unknown): boolean =>
    value !== undefined && (typeof value !== 'object' || value === null || Object.keys(value).length > 0);
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => isSaid(value)));
}

/** keep-id makes the caller the user of a container that names none: that is this machine's business. */
function userOf({ process: { user }, userns }: ContainerRecord, image: RunConfig): string | undefined {
  if (userns.mode === 'keep-id' && image.User === undefined && /^\d+:\d+$/.test(user)) return undefined;
  return user === '' ? undefined : user;
}

function environment(container: ContainerRecord, image: RunConfig): readonly string[] {
  const { tty, env } = container.process;
  const own = [`HOSTNAME=${container.hostname}`, ...(tty ? ['TERM=xterm'] : [])];
  return env.filter(entry => !own.includes(entry) || image.Env?.includes(entry));
}

function exposedPorts({ exposed, network }: ContainerRecord): Readonly<Record<string, object>> {
  const published = network.ports.map(port => `${port.containerPort}/${port.protocol}`);
  return Object.fromEntries([...exposed, ...published].map(port => [port, {}]));
}

function volumes({ mounts }: ContainerRecord, image: RunConfig): Readonly<Record<string, object>> {
  const anonymous = mounts.filter(mount => mount.anonymous).map(mount => [mount.target, {}]);
  return { ...image.Volumes, ...Object.fromEntries(anonymous) };
}

/** The image's own stands as it is unless a flag has changed it. */
function healthcheck(now: HealthCheck | undefined, image: Healthcheck | undefined): Healthcheck | undefined {
  if (!now) return image && { Test: ['NONE'] };
  const nano = (milliseconds: number): number => milliseconds * 1e6;
  return {
    Test: now.test,
    Interval: nano(now.interval),
    Timeout: nano(now.timeout),
    StartPeriod: nano(now.startPeriod),
    Retries: now.retries,
  };
}
