import { readFileSync, statSync } from 'node:fs';
import { builtin } from '../util/builtin.ts';
import { parseResolv } from './resolv.ts';

/** A server that has not answered by then is left for the next. */
const PATIENCE_MS = 2500;
const MAX_ANSWER = 65535;

/** What the machine's resolv.conf says now. It is read again when it has changed: networks come and go. */
export class HostServers {
  #stamp = '';
  #servers: readonly string[] = [];
  readonly #path: string;

  constructor(path = '/etc/resolv.conf') {
    this.#path = path;
  }

  get servers(): readonly string[] {
    try {
      const { mtimeMs, ino, size } = statSync(this.#path);
      const stamp = `${mtimeMs} ${ino} ${size}`;
      if (stamp !== this.#stamp) this.#servers = parseResolv(readFileSync(this.#path, 'utf8')).nameservers;
      this.#stamp = stamp;
    } catch {
      this.#servers = [];
    }
    // resolver(3): without a line, the machine's own.
    return this.#servers.length > 0 ? this.#servers : ['127.0.0.1'];
  }
}

/**
 * Asks one server after the other from the machine's network, with the packet as it came but for its id (RFC 5452: a new one, from a
 * port of its own). Undefined when none answers. A server is an address, or `address#port` (for tests).
 */
export async function forward(
  packet: Buffer,
  servers: readonly string[],
  tcp: boolean,
): Promise<Buffer | undefined> {
  if (packet.length < 12) return undefined;
  for (const server of servers.slice(0, 3)) {
    const [host = '', port = '53'] = server.split('#');
    const question = Buffer.from(packet);
    question.writeUInt16BE(builtin('node:crypto').randomInt(65536), 0);
    const ask = tcp ? askTcp : askUdp;
    const answer = await ask(question, host, Number(port)).catch(() => undefined);
    if (!answer) continue;
    packet.copy(answer, 0, 0, 2);
    return answer;
  }
  return undefined;
}

const isAnswer = (answer: Buffer, question: Buffer): boolean =>
  answer.length >= 12 && answer.readUInt16BE(0) === question.readUInt16BE(0) && (answer[2] ?? 0) >= 0x80;

/** A connected socket: what comes from elsewhere, the kernel does not give us. */
function askUdp(question: Buffer, host: string, port: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = builtin('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const end = (error?: Error, answer?: Buffer): void => {
      clearTimeout(timer);
      socket.close();
      if (answer) resolve(answer);
      else reject(error);
    };
    const timer = setTimeout(() => end(new Error('no answer')), PATIENCE_MS);
    socket.on('error', end);
    socket.on('message', answer => {
      if (isAnswer(answer, question)) end(undefined, Buffer.from(answer));
    });
    socket.connect(port, host, () => socket.send(question));
  });
}

function askTcp(question: Buffer, host: string, port: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const client = builtin('node:net').connect(port, host, () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(question.length);
      client.write(Buffer.concat([length, question]));
    });
    let got = Buffer.alloc(0);
    client.setTimeout(PATIENCE_MS, () => client.destroy(new Error('no answer')));
    client.on('error', reject);
    client.on('close', () => reject(new Error('no answer')));
    client.on('data', (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      if (got.length > MAX_ANSWER + 2) client.destroy();
      if (got.length < 2 || got.length < 2 + got.readUInt16BE(0)) return;
      const answer = got.subarray(2, 2 + got.readUInt16BE(0));
      if (isAnswer(answer, question)) resolve(Buffer.from(answer));
      client.destroy();
    });
  });
}
