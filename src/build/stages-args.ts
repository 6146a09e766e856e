import type { StageGraph } from './types.ts';
import { PROXY_ARGS } from './variables.ts';

/** Build arguments that no ARG of the needed stages takes: docker warns of them, since they are often mistyped. */
export function unusedBuildArgs(graph: StageGraph, names: Iterable<string>): string[] {
  const { dockerfile, order, stages } = graph;
  const needed = order.flatMap(index => stages[index]?.instructions ?? []);
  const declared = new Set(
    [...dockerfile.globals, ...needed].flatMap(each =>
      each.keyword === 'ARG' ? each.declarations.map(({ name }) => name) : [],
    ),
  );
  const isKnown = (name: string): boolean =>
    declared.has(name) || PROXY_ARGS.includes(name) || /^(?:BUILDKIT_|SOURCE_DATE_EPOCH$)/.test(name);
  return [...names].filter(name => !isKnown(name));
}
