/**
 * Who is called what in which network. The holder of the networks tells it, one line per address: when a container comes, and
 * when it goes. Pure.
 */
export interface NamedAddress {
  readonly container: string;
  /** The network's id. */
  readonly network: string;
  readonly address: string;
  /** Name servers of this container instead of the machine's (--dns); `-`: nobody is asked. */
  readonly servers: readonly string[];
  /** Its own name first, `NAME.NETWORK` last. */
  readonly names: readonly string[];
}

export class NameTable {
  readonly #entries: NamedAddress[] = [];
  #turn = 0;

  add(entry: NamedAddress): void {
    this.#entries.push(entry);
  }

  /** Of one network, or of all. */
  remove(container: string, network?: string): void {
    const goes = (e: NamedAddress): boolean =>
      e.container === container && (network === undefined || e.network === network);
    const stays = this.#entries.filter(entry => !goes(entry));
    this.#entries.splice(0, this.#entries.length, ...stays);
  }

  /** Who asks: the container that has this address in this network. */
  asker(network: string, address: string): NamedAddress | undefined {
    return this.#entries.find(e => e.network === network && e.address === address);
  }

  /**
   * The addresses of a name for who asks, in another order each time: those in the networks that both are in. Undefined when
   * nobody there is called so.
   */
  addressesOf(name: string, network: string, asker: NamedAddress | undefined): string[] | undefined {
    const wanted = name.toLowerCase();
    const common = this.#networksOf(network, asker);
    const found = this.#entries.filter(
      e => common.has(e.network) && e.names.some(each => each.toLowerCase() === wanted),
    );
    if (found.length === 0) return undefined;
    const from = this.#turn++ % found.length;
    return [...found.slice(from), ...found.slice(0, from)].map(e => e.address);
  }

  /** `NAME.NETWORK` of an address. */
  nameOf(address: string, network: string, asker: NamedAddress | undefined): string | undefined {
    const common = this.#networksOf(network, asker);
    return this.#entries.find(e => e.address === address && common.has(e.network))?.names.at(-1);
  }

  #networksOf(network: string, asker: NamedAddress | undefined): Set<string> {
    if (!asker) return new Set([network]);
    return new Set(this.#entries.filter(e => e.container === asker.container).map(e => e.network));
  }
}
