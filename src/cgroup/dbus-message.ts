/**
 * As much of D-Bus' wire format as three calls to systemd need (D-Bus Specification, "Marshaling" and "Message Format"). Little-endian,
 * values aligned to their size counted from the start of the message.
 */
export class Marshaller {
  #bytes = Buffer.alloc(512);
  #length = 0;

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): this {
    this.#bytes.writeUInt8(value, this.#room(1));
    return this;
  }

  u32(value: number): this {
    this.align(4).#bytes.writeUInt32LE(value, this.#room(4));
    return this;
  }

  boolean(value: boolean): this {
    return this.u32(value ? 1 : 0);
  }

  /** Types `s` and `o`. */
  string(value: string): this {
    return this.u32(Buffer.byteLength(value)).#raw(Buffer.from(`${value}\0`));
  }

  /** Type `g`. */
  signature(value: string): this {
    return this.byte(value.length).#raw(Buffer.from(`${value}\0`));
  }

  /** Type `v`: what it is, then itself. */
  variant(signature: string, value: (m: Marshaller) => void): this {
    this.signature(signature);
    value(this);
    return this;
  }

  /** Its length does not count the padding before the first element. */
  array(elementAlign: number, elements: ReadonlyArray<(m: Marshaller) => void>): this {
    const at = this.align(4).#room(4);
    this.align(elementAlign);
    const from = this.#length;
    for (const element of elements) element(this.align(elementAlign));
    this.#bytes.writeUInt32LE(this.#length - from, at);
    return this;
  }

  align(size: number): this {
    while (this.#length % size !== 0) this.byte(0);
    return this;
  }

  #raw(bytes: Buffer): this {
    const at = this.#room(bytes.length);
    bytes.copy(this.#bytes, at);
    return this;
  }

  #room(size: number): number {
    const at = this.#length;
    if (at + size > this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length + size)]);
    this.#length = at + size;
    return at;
  }
}

export interface Call {
  readonly destination?: string | undefined;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: (m: Marshaller) => void;
}

const FIELD = { path: 1, interface: 2, member: 3, error: 4, reply: 5, destination: 6, signature: 8 } as const;
const METHOD_CALL = 1;
const PROTOCOL = 1;

export function encodeCall(call: Call, serial: number): Buffer {
  const body = new Marshaller();
  call.body?.(body);
  const text = (field: number, type: string, value: string) => (m: Marshaller) =>
    m.byte(field).variant(type, v => v.string(value));
  const message = new Marshaller().byte(0x6c).byte(METHOD_CALL).byte(0).byte(PROTOCOL);
  message.u32(body.bytes.length).u32(serial);
  message.array(8, [
    text(FIELD.path, 'o', call.path),
    text(FIELD.interface, 's', call.interface),
    text(FIELD.member, 's', call.member),
    ...(call.destination === undefined ? [] : [text(FIELD.destination, 's', call.destination)]),
    ...(call.signature === undefined
      ? []
      : [
          (m: Marshaller) => m.byte(FIELD.signature).variant('g', v => v.signature(call.signature as string)),
        ]),
  ]);
  return Buffer.concat([message.align(8).bytes, body.bytes]);
}

export interface Message {
  readonly type: 'call' | 'return' | 'error' | 'signal' | 'unknown';
  readonly member: string | undefined;
  readonly error: string | undefined;
  readonly replyTo: number | undefined;
  /** The strings, object paths and numbers of the body, as far as there is nothing else. */
  readonly body: readonly (string | number)[];
}

const TYPES = ['unknown', 'call', 'return', 'error', 'signal'] as const;
/** The specification's own limit. */
const MESSAGE_MAX = 128 * 1024 * 1024;

/** How long the message is that begins here; undefined: too little is known yet. Throws RangeError for what cannot be. */
export function messageLength(bytes: Buffer): number | undefined {
  if (bytes.length < 16) return undefined;
  if (bytes[0] !== 0x6c || bytes[3] !== PROTOCOL) throw new RangeError('not a little-endian D-Bus message');
  const length = aligned(16 + bytes.readUInt32LE(12), 8) + bytes.readUInt32LE(4);
  if (length > MESSAGE_MAX) throw new RangeError('a D-Bus message is too long');
  return length;
}

export function decodeMessage(bytes: Buffer): Message {
  const reader = new Reader(bytes, 16);
  const fields = new Map<number, string | number>();
  const end = 16 + bytes.readUInt32LE(12);
  while (reader.at < end) {
    reader.align(8);
    const field = reader.byte();
    fields.set(field, reader.value(reader.signature()));
  }
  reader.align(8);
  const body: (string | number)[] = [];
  for (const type of String(fields.get(FIELD.signature) ?? '')) {
    if (!'sogu'.includes(type)) break;
    body.push(reader.value(type));
  }
  const text = (field: number): string | undefined => fields.get(field) as string | undefined;
  return {
    type: TYPES[bytes[1] ?? 0] ?? 'unknown',
    member: text(FIELD.member),
    error: text(FIELD.error),
    replyTo: fields.get(FIELD.reply) as number | undefined,
    body,
  };
}

class Reader {
  at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  align(size: number): void {
    this.at = aligned(this.at, size);
  }

  byte(): number {
    return this.#bytes.readUInt8(this.at++);
  }

  signature(): string {
    return this.#text(this.byte());
  }

  value(type: string): string | number {
    if (type === 'g') return this.signature();
    this.align(4);
    const number = this.#bytes.readUInt32LE(this.at);
    this.at += 4;
    if (type === 'u') return number;
    if (type === 's' || type === 'o') return this.#text(number);
    throw new RangeError(`D-Bus type ${type} is not known`);
  }

  /** Its NUL is not counted. */
  #text(length: number): string {
    const from = this.at;
    this.at += length + 1;
    if (this.at > this.#bytes.length) throw new RangeError('a D-Bus string leaves its message');
    return this.#bytes.toString('utf8', from, from + length);
  }
}

const aligned = (at: number, size: number): number => Math.ceil(at / size) * size;
