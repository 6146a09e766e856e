import { cgroupfs } from './cgroupfs.ts';
import type { CgroupDriver, CgroupDriverName, CgroupFacts, CgroupProbe } from './driver.ts';
import { none } from './none.ts';
import { systemd } from './systemd.ts';

const DRIVERS: readonly CgroupDriver[] = [systemd, cgroupfs, none];

export interface Selected {
  readonly driver: CgroupDriver;
  readonly probe: CgroupProbe;
  /** Why not the ones before it. */
  readonly refused: readonly { readonly name: CgroupDriverName; readonly reason: string }[];
}

/**
 * The first that works. systemd comes first: below its units it is the only one that may make groups (its documentation, "Control
 * Group APIs and Delegation"), although a user may write there.
 */
export function selectCgroup(facts: CgroupFacts, wanted: CgroupDriverName | 'auto' = 'auto'): Selected {
  const refused: { name: CgroupDriverName; reason: string }[] = [];
  for (const driver of DRIVERS) {
    const probe = driver.probe(facts);
    const chosen = wanted === 'auto' || wanted === driver.name || driver.name === 'none';
    if (probe.ok && chosen) return { driver, probe, refused };
    refused.push({ name: driver.name, reason: probe.ok ? 'another was asked for' : (probe.reason ?? '') });
  }
  return { driver: none, probe: none.probe(facts), refused };
}

export const cgroupDriver = (name: CgroupDriverName): CgroupDriver =>
  DRIVERS.find(driver => driver.name === name) ?? none;
