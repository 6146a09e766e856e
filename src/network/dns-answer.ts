import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  RECURSION_AVAILABLE,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import { formatAddress, parseAddress } from '../util/address.ts';
import type { NamedAddress, NameTable } from './names.ts';

/** What comes to a network's name server. */
export interface NameQuery {
  /** The network's id. */
  readonly network: string;
  /** Address of who asks. */
  readonly source: string;
  readonly tcp: boolean;
  readonly packet: Buffer;
}

/** Seconds: names move with containers. */
const TTL = 5;
/** RFC 1035, 4.2.1: most that an answer by UDP may have if the question does not say otherwise. */
const PLAIN_LIMIT = 512;
const [NXDOMAIN, SERVFAIL, REFUSED] = [3, 2, 5];

/**
 * The answer to a question about names of the network; `forward` when others must be asked; undefined for what is no question, which
 * gets no answer. Pure but for the order of addresses.
 */
export function answerQuery(table: NameTable, query: NameQuery): Buffer | 'forward' | undefined {
  const packet = decoded(query.packet);
  const question = packet?.questions?.[0];
  if (packet?.type !== 'query' || packet.opcode !== 'QUERY' || packet.questions?.length !== 1 || !question)
    return undefined;
  const asker = table.asker(query.network, query.source);
  const name = question.name.replace(/\.$/, '');
  const found =
    question.type === 'PTR'
      ? pointer(table, name, query, asker)
      : records(table, name, question.type, query, asker);
  if (found) return response(query, packet, found);
  // A network without a way out has none for questions either (CVE-2024-29018).
  if (asker?.servers[0] === '-') return response(query, packet, [], REFUSED);
  return 'forward';
}

/** SERVFAIL: nobody could be asked. Undefined for what is no question. */
export function failure(query: NameQuery): Buffer | undefined {
  const packet = decoded(query.packet);
  return packet?.type === 'query' ? response(query, packet, [], SERVFAIL) : undefined;
}

export { NXDOMAIN };

function decoded(packet: Buffer): (Packet & { opcode?: string }) | undefined {
  try {
    return decode(packet) as Packet & { opcode?: string };
  } catch {
    return undefined;
  }
}

function records(
  table: NameTable,
  name: string,
  type: string,
  query: NameQuery,
  asker: NamedAddress | undefined,
): Answer[] | undefined {
  const addresses = table.addressesOf(name, query.network, asker);
  if (!addresses) return undefined;
  const wanted = { A: false, AAAA: true }[type];
  return addresses
    .filter(address => address.includes(':') === wanted)
    .map(data => ({ type: type as 'A' | 'AAAA', name, ttl: TTL, data }));
}

function pointer(
  table: NameTable,
  name: string,
  query: NameQuery,
  asker: NamedAddress | undefined,
): Answer[] | undefined {
  const address = reversed(name);
  const found = address === undefined ? undefined : table.nameOf(address, query.network, asker);
  return found === undefined ? undefined : [{ type: 'PTR', name, ttl: TTL, data: found }];
}

/** `2.0.18.172.in-addr.arpa` → 172.18.0.2; thirty-two digits and `ip6.arpa` for IPv6. */
function reversed(name: string): string | undefined {
  const four = /^((?:\d{1,3}\.){4})in-addr\.arpa$/i.exec(name)?.[1];
  const six = /^((?:[0-9a-f]\.){32})ip6\.arpa$/i.exec(name)?.[1];
  const parts = (four ?? six ?? '').split('.').filter(Boolean).reverse();
  const text = four ? parts.join('.') : (parts.join('').match(/.{4}/g) ?? []).join(':');
  const address = parseAddress(text);
  return address && formatAddress(address);
}

function response(query: NameQuery, packet: Packet, answers: Answer[], code = 0): Buffer {
  const asked = packet.additionals?.find(each => each.type === 'OPT') as
    | { udpPayloadSize?: number }
    | undefined;
  const flags = AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | ((packet.flags ?? 0) & 0x0110) | code;
  const reply: Packet = {
    type: 'response',
    id: packet.id ?? 0,
    flags,
    questions: packet.questions ?? [],
    answers,
    ...(asked && {
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: 4096,
          flags: 0,
          extendedRcode: 0,
          ednsVersion: 0,
          flag_do: false,
          options: [],
        },
      ] as never,
    }),
  };
  const whole = encode(reply);
  const limit = query.tcp ? 65535 : Math.max(PLAIN_LIMIT, asked?.udpPayloadSize ?? 0);
  return whole.length <= limit ? whole : encode({ ...reply, flags: flags | TRUNCATED_RESPONSE, answers: [] });
}
