import { TsboxError } from '../errors.ts';

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

/** docker's --detach-keys: a comma-separated list of single characters and `ctrl-X`. Empty: no keys. Throws USAGE. */
export function parseDetachKeys(text: string): Uint8Array {
  if (text === '') return new Uint8Array();
  return Uint8Array.from(text.split(',').map(key => keyByte(key, text)));
}

function keyByte(key: string, text: string): number {
  const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1];
  if (control) return control.toUpperCase().charCodeAt(0) & 0x1f;
  if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
  throw new TsboxError('USAGE', `detach keys ${JSON.stringify(text)}: ${JSON.stringify(key)} is not a key`, {
    hint: '--detach-keys ctrl-p,ctrl-q',
  });
}
