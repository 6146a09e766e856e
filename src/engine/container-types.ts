import type { PortMapping } from '../network/driver.ts';

/** docker's words. `dead`: its supervisor was killed, and it ended with it. */
export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead';

/** What the health check last said. */
export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

/** A container, as `ps` shows it. */
export interface ContainerSummary {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** Without docker's leading slash. */
  readonly name: string;
  /** As the user wrote it. */
  readonly image: string;
  /** `sha256:…` of the image's config. */
  readonly imageId: string;
  /** Program and arguments in one line, in quotes where a shell needs them. */
  readonly command: string;
  /** RFC 3339. */
  readonly created: string;
  /** As it is at this moment. */
  readonly status: ContainerStatus;
  /** Absent where there is no health check, or the container does not run. */
  readonly health?: HealthStatus;
  /** 0 to 255 of the last run; 0 before it has ended. */
  readonly exitCode: number;
  /** RFC 3339; undefined before the first start. */
  readonly startedAt: string | undefined;
  /** RFC 3339 of the last end; undefined before it. */
  readonly finishedAt: string | undefined;
  /** Of its pid 1 on this machine; 0 when it does not run. */
  readonly pid: number;
  /** Published ports; of one that runs, the real ones. */
  readonly ports: readonly PortMapping[];
  /** The image's and its own. */
  readonly labels: Readonly<Record<string, string>>;
  /** Names of volumes, and paths of this machine. */
  readonly mounts: readonly string[];
  /** Names of its networks. */
  readonly networks: readonly string[];
}

/** What ps(1) printed. */
export interface ProcessTable {
  /** Of the columns. */
  readonly titles: readonly string[];
  /** A row for each process. */
  readonly processes: readonly (readonly string[])[];
}

/** Options of {@link Tsbox.stop} and {@link Tsbox.restart}. */
export interface StopOptions {
  /** Seconds until SIGKILL; negative: never. Default: the container's. */
  timeout?: number;
  /** Default: the container's stop signal. */
  signal?: string;
}

/** A unit of the user's systemd. */
export interface SystemdUnit {
  /** `tsbox-web.service`. */
  readonly name: string;
  /** The file's content. */
  readonly text: string;
}

/** Options of {@link Tsbox.logs}. */
export interface LogsOptions {
  /** Go on until the container has ended. Default: false. */
  follow?: boolean;
  /** Number of lines, or `all`. */
  tail?: number | 'all';
  /** Epoch milliseconds. */
  since?: number;
  /** Epoch milliseconds. */
  until?: number;
}

/** A line that a container wrote. */
export interface LogLine {
  /** RFC 3339 with nanoseconds, UTC: when it was read from the container. */
  readonly time: string;
  /** Where it was written. */
  readonly stream: 'stdout' | 'stderr';
  /** Raw bytes, with the newline unless it is a partial line. */
  readonly data: Buffer;
}

/** Options of {@link Tsbox.copyIn} and {@link Tsbox.copyOut}. */
export interface CopyOptions {
  /** docker's -a: keep uid and gid. Into a container: else root's. To the host: where the kernel lets the caller. */
  archive?: boolean;
  /** docker's -L: of a source that is a symbolic link, copy what it leads to. */
  followLink?: boolean;
}

/** What went over. */
export interface CopyResult {
  /** Bytes of the archive that went over. */
  readonly bytes: number;
  /** The destination, absolute. */
  readonly path: string;
}
