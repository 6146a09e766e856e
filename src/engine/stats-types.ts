/** Options of {@link Tsbox.stats}. */
export interface StatsOptions {
  /** Default true: one list per interval until the caller leaves. */
  stream?: boolean;
  /** Also containers that do not run. */
  all?: boolean;
  /** Milliseconds, default 1000. With `stream: false` the one list comes after that time; default: at once, see `cpuPercent`. */
  interval?: number;
}

/** What a container uses. */
export interface ContainerStats {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** Its name. */
  readonly name: string;
  /**
   * Of one processor: 200 for two that are busy. Over the interval; of a list that came at once since the last such look, if that was half
   * a second to a minute ago, else since the container began.
   */
  readonly cpuPercent: number;
  /** Bytes; of a control group without the page cache that is not in use. */
  readonly memory: number;
  /** The limit, or where there is none the machine's memory. */
  readonly memoryLimit: number;
  /** Bytes from its networks since it began; 0 with the machine's network. */
  readonly received: number;
  /** Bytes to its networks since it began. */
  readonly sent: number;
  /** Bytes from disks since it began. */
  readonly read: number;
  /** Bytes to disks since it began. */
  readonly written: number;
  /** Processes and threads. */
  readonly pids: number;
  /** Where the numbers come from: the container's control group, or summed up over processes in /proc. */
  readonly source: 'cgroup' | 'proc';
  /** Percent of the last ten seconds in which some process waited for it; absent where the kernel does not count (PSI). */
  readonly pressure?: { readonly cpu: number; readonly memory: number; readonly io: number };
}
