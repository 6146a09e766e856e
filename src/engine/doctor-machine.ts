import { release } from 'node:os';
import { helperPath } from '../host/binaries.ts';
import { kernelVersion } from '../host/probe.ts';
import { runProgram } from '../host/spawn.ts';
import { PROTOCOL_VERSION } from '../runtime/header.ts';
import type { Step } from './doctor-check.ts';
import { judgeHelper, judgeKernel, judgeNode } from './doctor-judge.ts';

/** Programs and kernel. */
export const MACHINE_STEPS: readonly Step[] = [
  { id: 'node', title: 'Node.js', otherwise: 'node-old', check: async () => judgeNode(process.version) },
  {
    id: 'kernel',
    title: 'Kernel',
    otherwise: 'kernel-old',
    check: async () => judgeKernel(release(), kernelVersion()),
  },
  { id: 'helper', title: 'Helper program', otherwise: 'helper-broken', check: checkHelper },
];

async function checkHelper() {
  const path = helperPath();
  const said = await runProgram(path, ['version'], { timeoutMs: 5_000 });
  return judgeHelper({ path, ...said }, PROTOCOL_VERSION);
}
