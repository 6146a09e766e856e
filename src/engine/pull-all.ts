import { TsboxError } from '../errors.ts';
import { formatReference, repositoryOf } from '../oci/reference.ts';
import { RegistryClient } from '../registry/client.ts';
import type { NetworkLimits } from '../registry/limits.ts';
import { pushSource } from '../registry/sources.ts';
import { listTags } from '../registry/tags.ts';
import type { Engine } from './context.ts';
import { pull } from './pull.ts';
import { untagged } from './push.ts';
import { withNetwork } from './registry-network.ts';
import { expandAlias } from './short-names.ts';
import type { PullOptions, PullResult } from './types.ts';

/**
 * `pull --all-tags`: the registry itself (not a mirror, which may have few) tells the tags, then each is pulled. Throws as
 * `pull`; NOT_FOUND for a repository without tags.
 */
export async function pullAll(
  engine: Engine,
  repository: string,
  options: PullOptions = {},
  limits?: NetworkLimits,
): Promise<PullResult[]> {
  const ref = untagged(await expandAlias(engine, repository));
  const tags = await withNetwork(engine, limits, network => {
    const source = pushSource(ref, network.rules);
    const { reporter, signal } = engine;
    return listTags(new RegistryClient({ ...network, reporter, source, signal }));
  });
  if (tags.length === 0) throw new TsboxError('NOT_FOUND', `${repositoryOf(ref)} has no tags`);
  const results: PullResult[] = [];
  for (const tag of tags) results.push(await pull(engine, formatReference({ ...ref, tag }), options, limits));
  return results;
}
