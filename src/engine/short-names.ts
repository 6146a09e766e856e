import { formatReference, parseReference } from '../oci/reference.ts';
import type { Engine } from './context.ts';

/**
 * The image that a name as users type it means: a short name with an alias becomes the alias, with the tag or digest it had;
 * anything else stays as it is. Throws BAD_REFERENCE, USAGE.
 */
export async function expandAlias(engine: Engine, text: string): Promise<string> {
  const name = text.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  if (!isShort(text, name)) return text;
  const { findAlias } = await import('../registry/aliases.ts');
  const alias = await findAlias(name, engine.config.registries);
  return alias === undefined ? text : formatReference(parseReference(alias + text.slice(name.length)));
}

/** Without a host, which makes it docker.io's; an id is no name. */
function isShort(text: string, name: string): boolean {
  if (/^(?:sha256:.*|[0-9a-f]{64})$/.test(text)) return false;
  return parseReference(text).domain === 'docker.io' && !/^(?:index\.)?docker\.io\//.test(name);
}
