import { TsboxError } from '../errors.ts';

/** A failure that may pass: the try can be repeated. `error` is what the user gets when it does not pass. */
export class Transient extends Error {
  readonly error: TsboxError;
  /** Milliseconds that the registry asked us to wait (`Retry-After`). */
  readonly wait: number | undefined;

  constructor(error: TsboxError, wait?: number) {
    super(error.message, { cause: error });
    this.error = error;
    this.wait = wait;
  }
}

const DEAD_ENDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ENOTFOUND: 'its name is unknown (DNS)',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'the network is unreachable',
  ERR_INVALID_URL: 'its address is malformed',
};
const PASSING: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'its name cannot be resolved now (DNS)',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  ETIMEDOUT: 'the connection timed out',
  CONNECT_TIMEOUT: 'it does not answer (connect timeout)',
  HEADERS_TIMEOUT: 'it accepted the request and never answered',
  BODY_TIMEOUT: 'it stopped sending',
  // The same from undici, behind a proxy.
  UND_ERR_SOCKET: 'it closed the connection',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer (connect timeout)',
  UND_ERR_HEADERS_TIMEOUT: 'it accepted the request and never answered',
  UND_ERR_BODY_TIMEOUT: 'it stopped sending',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'it closed the connection too early',
};

/** The reason of an abort, as what a request or a stream can be ended with. */
export const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new Error(String(reason ?? 'aborted'));

/** The errno or undici code, at any depth, also inside the AggregateError of a host with several addresses. */
export function codeOf(error: unknown): string {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    const code = (e as NodeJS.ErrnoException).code;
    if (typeof code === 'string') return code;
    if (e instanceof AggregateError) return codeOf(e.errors[0]);
  }
  return '';
}

/** What went wrong between us and `host`, as a Transient or a TsboxError. Errors of ours pass through. */
export function networkFailure(error: unknown, host: string): Transient | TsboxError {
  if (error instanceof TsboxError || error instanceof Transient) return error;
  const code = codeOf(error);
  const make = (why: string, hint?: string): TsboxError =>
    new TsboxError('REGISTRY', `registry ${host} cannot be used: ${why}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  const passing = PASSING[code];
  if (passing !== undefined) return new Transient(make(passing));
  if (DEAD_ENDS[code] !== undefined)
    return make(DEAD_ENDS[code], 'check the name, the network and the proxy settings');
  if (code === 'ERR_INVALID_HTTP_RESPONSE' || code.startsWith('HPE_')) return make('it does not speak HTTP');
  if (isPlainHttp(error)) return make('it speaks plain HTTP, not HTTPS', insecureHint(host));
  if (isCertificate(code)) return make(`its certificate is not trusted (${code})`, certificateHint(host));
  return make(code === '' ? 'the request failed' : code);
}

function insecureHint(host: string): string {
  return `if you trust it, add ${JSON.stringify(host)} to registries.insecure in the config file`;
}

function certificateHint(host: string): string {
  return `put its authority's certificate into /etc/containers/certs.d/${host}/ca.crt, or add ${JSON.stringify(host)} to registries.insecure`;
}

/** The certificate may be fine: nobody known to Node vouches for it. */
export function isUnknownAuthority(code: string): boolean {
  return /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/.test(
    code,
  );
}

/** True for what a TLS client gets from a server that does not speak TLS. */
export function isPlainHttp(error: unknown): boolean {
  return /ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|HTTP_REQUEST)|^EPROTO$/.test(
    codeOf(error),
  );
}

function isCertificate(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ALTNAME/.test(code);
}
