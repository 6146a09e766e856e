import { takePrestarted } from '../host/prestarted.ts';
import { FdLink } from './link.ts';

/**
 * A helper in the role `processes`, begun beside Node for `stop`, `kill` and `rm` (docs/helper-protocol.md): it signals and waits for as many
 * processes as it is asked to, and spares loading node:child_process and a fork of Node for each of them.
 */
class Tender {
  readonly #link: FdLink;
  readonly #asked = new Map<string, (status: number) => void>();
  #last = 0;
  #reading = false;

  constructor(fd: number) {
    this.#link = new FdLink(fd);
  }

  /** The exit status that the role `words[0]` would have had; GONE when the helper is no more. `stop` gives up the question. */
  ask(words: readonly (string | number)[], stop?: AbortSignal): Promise<number> {
    const id = String(++this.#last);
    return new Promise(resolve => {
      const giveUp = () => this.#end(id, ABORTED);
      this.#asked.set(id, status => {
        stop?.removeEventListener('abort', giveUp);
        resolve(status);
      });
      stop?.addEventListener('abort', giveUp, { once: true });
      this.#send(id, words);
      if (!this.#reading) this.#read();
    });
  }

  #send(id: string, words: readonly (string | number)[]): void {
    this.#link.write(Buffer.from(`${[id, ...words].join(' ')}\n`));
  }

  #end(id: string, status: number): void {
    const answer = this.#asked.get(id);
    this.#asked.delete(id);
    answer?.(status);
    // A read is under way, on a thread, and this process cannot end before it: this is answered at once.
    if (status === ABORTED && this.#asked.size === 0) this.#send('0', ['none']);
  }

  async #read(): Promise<void> {
    this.#reading = true;
    let rest = '';
    while (this.#asked.size > 0) {
      const bytes = await this.#link.read();
      if (bytes === undefined) break;
      const lines = (rest + bytes.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#end(line.split(' ')[0] ?? '', Number(line.split(' ')[1]));
    }
    this.#reading = false;
    for (const id of this.#asked.keys()) this.#end(id, GONE);
  }
}

/** No status that a role of the helper has. */
export const [ABORTED, GONE] = [-1, -2];

let known: { tender: Tender | undefined } | undefined;

/** The one that was begun beside us; undefined where there is none. */
export function tender(): Tender | undefined {
  if (known) return known.tender;
  const process = takePrestarted('processes');
  known = { tender: process && new Tender(process.channel) };
  return known.tender;
}
