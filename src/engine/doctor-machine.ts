import { release } from 'node:os';
import { helperPath } from '../host/binaries.ts';
import { kernelAtLeast } from '../host/probe.ts';
import { runProgram } from '../host/spawn.ts';
import { PROTOCOL_VERSION } from '../runtime/header.ts';
import { type Answer, fail, ok, type Step, warn } from './doctor-check.ts';

/** Programs and kernel. */
export const MACHINE_STEPS: readonly Step[] = [
  { id: 'node', title: 'Node.js', check: checkNode },
  { id: 'kernel', title: 'Kernel', check: checkKernel },
  { id: 'helper', title: 'Helper program', check: checkHelper },
];

/** package.json, engines. */
const OLDEST_NODE = [20, 11] as const;

async function checkNode(): Promise<Answer> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [wantMajor, wantMinor] = OLDEST_NODE;
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return ok(process.version);
  return fail(
    `${process.version} is older than ${OLDEST_NODE.join('.')}`,
    'install a newer Node.js and run ./install.sh again',
  );
}

async function checkKernel(): Promise<Answer> {
  const version = release();
  if (kernelAtLeast(5, 11)) return ok(version);
  if (kernelAtLeast(4, 18)) {
    return warn(`${version}: before 5.11 users cannot mount overlayfs`, 'install fuse-overlayfs');
  }
  return fail(`${version}: before 4.18 users cannot mount FUSE in a user namespace`, 'update the kernel');
}

async function checkHelper(): Promise<Answer> {
  const path = helperPath();
  const { status, stdout, stderr } = await runProgram(path, ['version'], { timeoutMs: 5_000 });
  const version = stdout.trim();
  if (status === 0 && version === PROTOCOL_VERSION) return ok(`${path}, protocol ${version}`);
  const said = version || stderr.trim() || `status ${status}`;
  return fail(`${path} does not speak protocol ${PROTOCOL_VERSION}: ${said}`, 'run ./install.sh again');
}
