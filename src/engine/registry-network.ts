import { Http } from '../registry/http.ts';
import { DEFAULT_LIMITS, type NetworkLimits } from '../registry/limits.ts';
import { loadRules } from '../registry/rules.ts';
import type { RegistryRules } from '../registry/sources.ts';
import type { Engine } from './context.ts';

/** What a use-case needs to speak with registries. */
export interface Network {
  readonly engine: Engine;
  readonly http: Http;
  readonly rules: RegistryRules;
  readonly limits: NetworkLimits;
}

/** Runs `work` with connections that are closed afterwards. `limits`: for tests. Throws USAGE for configuration files that are wrong. */
export async function withNetwork<T>(
  engine: Engine,
  limits: NetworkLimits | undefined,
  work: (network: Network) => Promise<T>,
): Promise<T> {
  const rules = await loadRules(engine.config);
  const patience = limits ?? DEFAULT_LIMITS;
  const http = new Http(patience);
  try {
    return await work({ engine, http, rules, limits: patience });
  } finally {
    await http.close();
  }
}
