import type { Engine } from './context.ts';
import type * as T from './types.ts';

/** The part of `Tsbox` that is about volumes, networks and the machine. */
export class ThingCalls {
  readonly #engine: Engine;

  protected constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Makes a volume, or finds it. Default name: 64 hexadecimal digits. Throws USAGE for a name that cannot be one. */
  async createVolume(name?: string, labels: Readonly<Record<string, string>> = {}): Promise<T.VolumeSummary> {
    return (await import('./volumes.ts')).createVolume(this.#engine, name, labels);
  }

  /** Every volume, by name. Throws USAGE for an unknown filter. */
  async volumes(): Promise<T.VolumeSummary[]> {
    return (await import('./volumes.ts')).listVolumes(this.#engine);
  }

  /** Removes a volume and what it holds. Throws NOT_FOUND (not with `force`), and CONFLICT while a container mounts it. */
  async removeVolume(name: string, options: { force?: boolean } = {}): Promise<void> {
    await (await import('./volumes.ts')).removeVolume(this.#engine, name, options);
  }

  /** Removes volumes that no container mounts: anonymous ones, or all. Throws USAGE, IO. */
  async pruneVolumes(options: T.PruneOptions = {}): Promise<T.Pruned> {
    return (await import('./prune-volumes.ts')).pruneVolumes(this.#engine, options);
  }

  /** Makes a user-defined network. Returns its id. Throws USAGE, CONFLICT (the name, a subnet), NETWORK, IO. */
  async createNetwork(name: string, options: T.NetworkCreateOptions = {}): Promise<string> {
    return (await import('./network-create.ts')).createNetwork(this.#engine, name, options);
  }

  /** User-defined networks and those that are always there. Throws USAGE for an unknown filter. */
  async networks(options: T.NetworkListOptions = {}): Promise<T.NetworkSummary[]> {
    return (await import('./network-list.ts')).listNetworks(this.#engine, options);
  }

  /** docker's inspect object of a network. Throws NOT_FOUND. */
  async inspectNetwork(network: string): Promise<Record<string, unknown>> {
    return (await import('./network-list.ts')).inspectNetwork(this.#engine, network);
  }

  /** Removes a network. Throws NOT_FOUND (not with `force`), and CONFLICT while a container is in it. */
  async removeNetwork(network: string, options: { force?: boolean } = {}): Promise<void> {
    await (await import('./network-remove.ts')).removeNetwork(this.#engine, network, options);
  }

  /** Removes networks that no container is in. Throws USAGE, IO. */
  async pruneNetworks(options: T.PruneOptions = {}): Promise<T.Pruned> {
    return (await import('./network-remove.ts')).pruneNetworks(this.#engine, options);
  }

  /** Gives a container that was made on a user-defined network an interface in one more. Throws NOT_FOUND, BAD_STATE, CONFLICT, NETWORK. */
  async connectNetwork(
    network: string,
    container: string,
    options: T.NetworkConnectOptions = {},
  ): Promise<void> {
    await (await import('./network-connect.ts')).connectNetwork(this.#engine, network, container, options);
  }

  /** Takes a container out of a network; at once if it runs. Throws NOT_FOUND or CONFLICT. */
  async disconnectNetwork(
    network: string,
    container: string,
    options: { force?: boolean } = {},
  ): Promise<void> {
    await (await import('./network-connect.ts')).disconnectNetwork(this.#engine, network, container, options);
  }

  /**
   * Walks the real path of `run` step by step. `isolation`: instead, a container that tries what must not work in it. `only`: checks (`userns`)
   * or findings (`userns-apparmor`, as an error's `check` names them). Rejects with USAGE for a name that is neither.
   */
  async doctor(options: { isolation?: boolean; only?: readonly string[] } = {}): Promise<T.DoctorCheck[]> {
    if (options.isolation) return (await import('./doctor-isolation.ts')).doctorIsolation(this.#engine);
    return (await import('./doctor.ts')).doctor(this.#engine, options.only);
  }

  /** What an administrator can give that is missing here, as a script for root. Changes nothing. Throws nothing for what it finds. */
  async adminRequest(): Promise<T.AdminRequest> {
    return (await import('./doctor.ts')).adminRequest(this.#engine);
  }

  /** Which control groups containers get on this machine. Throws nothing: what is missing is part of the answer. */
  async cgroup(): Promise<T.CgroupInfo> {
    return (await import('./cgroup-info.ts')).cgroupInfo(this.#engine);
  }

  /**
   * What the holder of the networks starts: answers questions for names on a descriptor. Needs no store, which it could not read where
   * that is root's. Nothing for programs.
   */
  static async answerNames(descriptor: number): Promise<void> {
    await (await import('./network-names.ts')).answerNames(descriptor);
  }
}
