/**
 * Text of strangers for a message: quoted, cut, with every control character and bidirectional mark escaped. JSON alone leaves
 * DEL, the C1 controls and the marks as they are; terminals obey them.
 */
export function quote(text: string, limit = 100): string {
  const escaped = JSON.stringify(text.slice(0, limit)).replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return text.length > limit ? `${escaped.slice(0, -1)}…"` : escaped;
}
