import { deviceProblem } from '../host/probe.ts';
import { networkDriver } from '../network/select.ts';
import { type Answer, ok, type Step, warn } from './doctor-check.ts';

/** How containers reach the network. */
export const NETWORK_STEPS: readonly Step[] = [
  { id: 'tun', title: '/dev/net/tun', check: checkTun },
  { id: 'slirp4netns', title: 'Network: slirp4netns', check: checkSlirp },
];

async function checkTun(): Promise<Answer> {
  const problem = deviceProblem('/dev/net/tun');
  if (problem === undefined) return ok('can be opened');
  if (problem === 'ENOENT') return warn('is missing', 'as administrator: modprobe tun');
  return warn(
    `cannot be opened (${problem})`,
    'as administrator: chmod 666 /dev/net/tun; until then: --network none or host',
  );
}

async function checkSlirp(): Promise<Answer> {
  const { ok: works, reason = 'does not work here', hint } = await networkDriver('slirp4netns').probe();
  return works ? ok('works') : warn(reason, hint ?? 'run with --network none or host');
}
