import { locateProgram } from '../host/binaries.ts';
import { singleMaps } from '../host/idmap.ts';
import { ourUid } from '../host/paths.ts';
import { deviceProblem } from '../host/probe.ts';
import { unprivilegedPortStart } from '../network/ports.ts';
import { networkDriver } from '../network/select.ts';
import { CLONE } from '../plan/flags.ts';
import { type Answer, ok } from './doctor-answer.ts';
import { type Doctor, type Step, tryPlan } from './doctor-check.ts';
import { judgeDevice, judgeFilter, judgePasta, judgePorts, judgeSlirp } from './doctor-judge.ts';

/** How containers reach the network. */
export const NETWORK_STEPS: readonly Step[] = [
  {
    id: 'tun',
    title: '/dev/net/tun',
    otherwise: 'tun-missing',
    check: async () => judgeDevice('tun', deviceProblem('/dev/net/tun')),
  },
  { id: 'slirp4netns', title: 'Network: slirp4netns', otherwise: 'slirp4netns-missing', check: checkSlirp },
  { id: 'pasta', title: 'Network: pasta', otherwise: 'pasta-missing', check: checkPasta },
  {
    id: 'uplink',
    title: 'Network: a trial',
    needs: ['namespaces', 'tun'],
    otherwise: 'uplink-failed',
    check: checkUplink,
  },
  { id: 'filter', title: 'Networks of your own', otherwise: 'filter-missing', check: checkFilter },
  { id: 'ports', title: 'Published ports', otherwise: 'ports-low', check: checkPorts },
];

const probe = (name: string) => networkDriver(name).probe();

async function checkSlirp(): Promise<Answer> {
  return judgeSlirp(await probe('slirp4netns'));
}

async function checkPasta(): Promise<Answer> {
  return judgePasta(await probe('pasta'), await probe('slirp4netns'));
}

/** The real program at the other end of a new namespace, until it says that it is ready. */
async function checkUplink(doctor: Doctor): Promise<Answer> {
  const names = ['slirp4netns', 'pasta'];
  for (const name of names) {
    if (!(await probe(name)).ok) continue;
    const { engine } = doctor;
    const request = { containerId: 'doctor', runtimeDir: engine.paths.runtime, ports: [], options: {} };
    const { ops, services } = networkDriver(name).setup(request);
    await tryPlan(engine, doctor.maps ?? singleMaps(), ops, CLONE.NEWNET, services);
    return ok(`${name} serves a namespace`);
  }
  return ok('no program to try');
}

async function checkFilter(): Promise<Answer> {
  return judgeFilter({ nft: locateProgram('nft'), iptables: locateProgram('iptables') });
}

async function checkPorts({ engine }: Doctor): Promise<Answer> {
  const address = engine.config.network.publishAddress;
  return judgePorts({ address, start: unprivilegedPortStart(), root: ourUid() === 0 });
}
