import { deviceProblem } from '../host/probe.ts';
import { unprivilegedPortStart } from '../network/ports.ts';
import { networkDriver } from '../network/select.ts';
import { type Answer, type Doctor, ok, type Step, warn } from './doctor-check.ts';

/** How containers reach the network. */
export const NETWORK_STEPS: readonly Step[] = [
  { id: 'tun', title: '/dev/net/tun', check: checkTun },
  { id: 'slirp4netns', title: 'Network: slirp4netns', check: checkSlirp },
  { id: 'ports', title: 'Published ports', check: checkPorts },
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

/** Where `-p` listens, and what it may bind. */
async function checkPorts({ engine }: Doctor): Promise<Answer> {
  const address = engine.config.network.publishAddress;
  const where = address ?? 'every address, as docker does (publish_address in config.toml changes it)';
  const start = unprivilegedPortStart();
  const low = start > 0 && process.geteuid?.() !== 0 ? `; ports below ${start} are root's` : '';
  return ok(`-p listens on ${where}${low}`);
}
