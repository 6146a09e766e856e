/**
 * Text of strangers on its way into our messages: no control characters or escapes of a terminal, nothing that changes the
 * direction of writing, one line, not too long.
 */
export function cleanText(text: string, limit = 300): string {
  const line = text
    .replace(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  return line.length > limit ? `${line.slice(0, limit)}…` : line;
}

/** A URL for messages and traces: no user, password, query or fragment; signed URLs carry secrets in their query. */
export function shownUrl(url: URL | string): string {
  const parsed = URL.canParse(String(url)) ? new URL(String(url)) : undefined;
  if (parsed === undefined) return '(no URL)';
  const query = parsed.search === '' ? '' : '?…';
  return cleanText(`${parsed.protocol}//${parsed.host}${parsed.pathname}${query}`);
}
