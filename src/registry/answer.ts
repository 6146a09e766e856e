import { TsboxError } from '../errors.ts';
import { Transient } from './failure.ts';
import type { HttpResponse } from './http.ts';
import { resetAfter } from './rate-limit.ts';
import { parseRetryAfter } from './retry.ts';
import { cleanText } from './text.ts';

const MAX_ERROR_BODY = 64 << 10;

/** What an answer that is no success says, read from its body. */
export interface Refusal {
  readonly status: number;
  /** Codes of the distribution spec: MANIFEST_UNKNOWN, DENIED … */
  readonly codes: readonly string[];
  /** In the registry's words, cleaned; may be empty. */
  readonly message: string;
  readonly html: boolean;
}

/** Reads (a bounded part of) the body and ends the response. */
export async function readRefusal(response: HttpResponse): Promise<Refusal> {
  const read = await response.body.read(MAX_ERROR_BODY).catch(() => undefined);
  const text = read?.bytes.toString() ?? '';
  const html = isHtml(response) || /^\s*<(!doctype html|html)\b/i.test(text);
  const { codes, messages } = html ? { codes: [], messages: [] } : parseErrors(text);
  return { status: response.status, codes, message: cleanText(messages.join('; ')), html };
}

export function isHtml(response: HttpResponse): boolean {
  return /^text\/html\b/i.test(response.headers['content-type'] ?? '');
}

function parseErrors(text: string): { codes: string[]; messages: string[] } {
  const list = errorList(text).slice(0, 5);
  const get = (item: unknown, key: string): string => {
    const value =
      typeof item === 'object' && item !== null ? (item as Record<string, unknown>)[key] : undefined;
    return typeof value === 'string' ? value : '';
  };
  return {
    codes: list.map(item => get(item, 'code').toUpperCase()).filter(code => code !== ''),
    messages: list.map(item => get(item, 'message') || get(item, 'code')).filter(message => message !== ''),
  };
}

/** `{"errors": [...]}` of the distribution spec; token servers also answer `{"details": "…"}` or an OAuth2 error. */
function errorList(text: string): readonly unknown[] {
  try {
    const doc = JSON.parse(text) as {
      errors?: unknown;
      details?: unknown;
      message?: unknown;
      error_description?: unknown;
    };
    if (Array.isArray(doc?.errors)) return doc.errors;
    return [{ message: doc?.details ?? doc?.error_description ?? doc?.message }];
  } catch {
    return [];
  }
}

/** `HTTP 502, an HTML page` or `HTTP 404: manifest unknown`. */
export function describe(refusal: Refusal): string {
  if (refusal.html) return `it answered HTML (HTTP ${refusal.status}), not a registry's answer`;
  return `HTTP ${refusal.status}${refusal.message === '' ? '' : `: ${refusal.message}`}`;
}

/** A failure for an answer that nobody expects in a healthy registry; Transient where another try may help. */
export async function badAnswer(response: HttpResponse, host: string): Promise<Transient | TsboxError> {
  const refusal = await readRefusal(response);
  const { status } = refusal;
  const wait = parseRetryAfter(response.headers['retry-after']) ?? resetAfter(status, response.headers);
  if (status === 429) return new Transient(tooMany(host, refusal, wait), wait);
  const error = new TsboxError(
    'REGISTRY',
    `registry ${host} failed: ${describe(refusal)}`,
    hintFor(refusal, host),
  );
  if (status === 408 || status === 500 || status === 502 || status === 503 || status === 504)
    return new Transient(error, wait);
  return error;
}

function hintFor(refusal: Refusal, host: string): { hint?: string } {
  return refusal.html
    ? { hint: `is ${host} really a registry? a proxy or login page may stand in between` }
    : {};
}

function tooMany(host: string, refusal: Refusal, wait: number | undefined): TsboxError {
  const when = wait === undefined ? '' : ` and asks to wait ${Math.ceil(wait / 1000)} s`;
  const words = refusal.message === '' ? '' : `: ${refusal.message}`;
  return new TsboxError(
    'REGISTRY',
    `registry ${host} refuses more requests for now (HTTP 429)${when}${words}`,
    {
      hint: 'wait, log in (limits are higher for known users), or set a mirror in registries.mirrors',
    },
  );
}
