import { answerQuery, failure, type NameQuery } from '../network/dns-answer.ts';
import { forward, HostServers } from '../network/dns-forward.ts';
import { NameTable } from '../network/names.ts';
import { FdLink } from '../runtime/link.ts';
import { encodeFrame, FrameReader } from '../runtime/wire.ts';

/**
 * The process that answers questions for names. The holder of the networks, which has the sockets that they come to, tells it on a
 * descriptor who is called what and hands it the questions; what is not of the networks is asked of the machine's servers. It ends
 * with the descriptor.
 */
export async function answerNames(descriptor: number): Promise<void> {
  // Not node:net: Bun's sockets take no descriptor.
  const link = new FdLink(descriptor);
  const reader = new FrameReader();
  let sent = Promise.resolve();
  const names = new Answerer((token, packet) => {
    // On a thread: the holder may be writing to us, and then it reads when we have.
    sent = sent.then(() => link.send(encodeFrame([['answer', token, packet]])));
  });
  for (let chunk = await link.read(); chunk; chunk = await link.read())
    for (const record of reader.push(chunk)) names.receive(record);
}

/** More than this many questions at a time are not asked of others: something asks in a circle, or to do harm. */
const MOST = 256;

class Answerer {
  readonly #table = new NameTable();
  readonly #servers = new HostServers();
  readonly #send: (token: string, packet: Buffer) => void;
  #open = 0;

  constructor(send: (token: string, packet: Buffer) => void) {
    this.#send = send;
  }

  receive(record: readonly Buffer[]): void {
    const [kind = '', a = '', b = '', c = '', d = '', ...rest] = record.slice(0, 64).map(String);
    if (kind === 'name')
      this.#table.add({
        container: a,
        network: b,
        address: c,
        servers: d.split(' ').filter(Boolean),
        names: rest,
      });
    else if (kind === 'forget') this.#table.remove(a, b || undefined);
    else if (kind === 'query') {
      const query = { network: b, source: c, tcp: d === 'tcp', packet: record[5] ?? Buffer.alloc(0) };
      void this.#answer(a, query);
    }
  }

  async #answer(token: string, query: NameQuery): Promise<void> {
    const known = answerQuery(this.#table, query);
    const answer = known === 'forward' ? await this.#ask(query) : known;
    if (answer) this.#send(token, answer);
  }

  async #ask(query: NameQuery): Promise<Buffer | undefined> {
    const own = this.#table.asker(query.network, query.source)?.servers ?? [];
    if (this.#open >= MOST) return failure(query);
    this.#open++;
    try {
      const servers = own.length > 0 ? own : this.#servers.servers;
      return (await forward(query.packet, servers, query.tcp)) ?? failure(query);
    } finally {
      this.#open--;
    }
  }
}
