import type { ContainerRecord, HealthCheck } from '../store/container-record.ts';

/** `Config` of docker's inspect: what is the container's own, wherever it runs. Empty lists are null, as docker has them. */
export function configOf(record: ContainerRecord): Record<string, unknown> {
  const { process: command } = record;
  return {
    Hostname: record.hostname,
    Domainname: record.domainname,
    User: command.user,
    AttachStdin: command.openStdin,
    AttachStdout: true,
    AttachStderr: true,
    ExposedPorts: exposedPorts(record),
    Tty: command.tty,
    OpenStdin: command.openStdin,
    StdinOnce: command.openStdin,
    Env: command.env,
    Cmd: orNull(record.cmd),
    Image: record.image.reference,
    Volumes: volumes(record),
    WorkingDir: command.cwd,
    Entrypoint: orNull(record.entrypoint),
    OnBuild: null,
    Labels: record.labels,
    StopSignal: command.stopSignal,
    StopTimeout: command.stopTimeout,
    ...(record.healthcheck && { Healthcheck: healthcheckOf(record.healthcheck) }),
  };
}

/** docker counts in nanoseconds. */
function healthcheckOf(check: HealthCheck): Record<string, unknown> {
  const nanoseconds = (milliseconds: number): number => milliseconds * 1e6;
  return {
    Test: check.test,
    Interval: nanoseconds(check.interval),
    Timeout: nanoseconds(check.timeout),
    StartPeriod: nanoseconds(check.startPeriod),
    StartInterval: nanoseconds(check.startInterval),
    Retries: check.retries,
  };
}

export const orNull = <T>(list: readonly T[]): readonly T[] | null => (list.length > 0 ? list : null);

/** Declared by the image or published; docker's form is a set written as keys. */
function exposedPorts(record: ContainerRecord): Record<string, object> {
  const published = record.network.ports.map(p => `${p.containerPort}/${p.protocol}`);
  return Object.fromEntries([...record.exposed, ...published].map(port => [port, {}]));
}

function volumes(record: ContainerRecord): Record<string, object> | null {
  const targets = record.mounts.filter(m => m.anonymous).map(m => [m.target, {}]);
  return targets.length > 0 ? Object.fromEntries(targets) : null;
}
