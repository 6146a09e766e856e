/**
 * A cgroup driver puts a container in a control group of its own, sets its limits and reads its counters. A limit that cannot be
 * enforced is an error that says how to enable it; it is never ignored in silence.
 *
 * Paths are absolute directories of the cgroup v2 file system.
 */
export interface CgroupDriver {
  readonly name: CgroupDriverName;

  /** Can it work for this user? Does not throw for a "no". */
  probe(facts: CgroupFacts): Promise<CgroupProbe>;

  /**
   * Makes the container's group, with its limits set, before any process is in it. Undefined: there is none, the container
   * stays in the group of its starter. Throws TsboxError HOST for a limit that cannot be enforced.
   */
  create(request: CgroupRequest): Promise<string | undefined>;

  /** Removes an empty group. No error when it is gone. */
  remove(path: string): Promise<void>;
}

export type CgroupDriverName = 'none' | 'cgroupfs' | 'systemd';

export interface CgroupProbe {
  readonly ok: boolean;
  /** Controllers whose limits it can set: `cpu`, `memory`, `pids`, `io`. */
  readonly controllers: readonly string[];
  /** Why not, as a clause that fits after "cgroupfs: ". */
  readonly reason?: string;
  readonly hint?: string;
}

export interface CgroupRequest {
  readonly containerId: string;
  /** cgroup v2 file to value: `memory.max` → `536870912`. Empty: no limits. */
  readonly limits: Readonly<Record<string, string>>;
}

/** What this machine and login give; found by looking, see detect.ts. */
export interface CgroupFacts {
  /** `v2`: the unified hierarchy. `hybrid`: v1 controllers beside a v2 tree that has none. */
  readonly layout: 'v2' | 'hybrid' | 'v1' | 'none';
  /** The v2 directory of this process. */
  readonly own: string | undefined;
  /** Controllers that are enabled there. */
  readonly controllers: readonly string[];
  /** The user may make groups there and move processes into them. */
  readonly delegated: boolean;
  /** The bus socket of the user's own systemd, which can delegate a scope. */
  readonly userBus: string | undefined;
}
