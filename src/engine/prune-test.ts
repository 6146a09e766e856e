import { hasLabels, type Labels, madeBefore } from './object-filters.ts';
import type { Filters } from './types.ts';

/** What prune looks at. */
export interface Prunable {
  readonly labels: Labels;
  /** RFC 3339. */
  readonly created: string;
}

/** The filters `until`, `label` (all of them) and `label!` (none of them). Throws USAGE. */
export function pruneTest(filters: Filters): (object: Prunable) => boolean {
  const isOld = madeBefore(filters.until ?? [], Date.now());
  return ({ labels, created }) =>
    isOld(created) &&
    hasLabels(labels, filters.label ?? []) &&
    !(filters['label!'] ?? []).some(wanted => hasLabels(labels, [wanted]));
}
