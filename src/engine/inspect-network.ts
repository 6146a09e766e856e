import type { PortMapping } from '../network/driver.ts';
import { hostPortText } from '../network/ports.ts';
import { networkDriver } from '../network/select.ts';
import type { ContainerRecord, ContainerState } from '../store/container-record.ts';
import { containerRuntimeDir } from './container-paths.ts';
import type { Engine } from './context.ts';
import { endpointSettings } from './inspect-endpoints.ts';
import { readEndpoints } from './network-endpoints.ts';
import { servedPorts } from './ports-served.ts';

type Bindings = Record<string, { HostIp: string; HostPort: string }[] | null>;

/** `NetworkSettings` of docker's inspect; addresses and ports only while it runs, as docker has it. */
export function networkSettingsOf(
  engine: Engine,
  record: ContainerRecord,
  state: ContainerState,
): Record<string, unknown> {
  const running = state.status === 'running';
  const address = running ? addressOf(engine, record) : '';
  const sandbox = running ? `/proc/${state.pid}/ns/net` : '';
  return {
    SandboxKey: sandbox,
    Ports: running ? runningPorts(engine, record, state) : {},
    Gateway: '',
    IPAddress: address,
    IPPrefixLen: address === '' ? 0 : 24,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    MacAddress: '',
    Networks: record.network.networks
      ? endpointSettings(record.id, record.network.networks, running ? readEndpoints(engine, record.id) : [])
      : { [record.network.driver]: { IPAddress: address, Gateway: '', NetworkID: record.network.driver } },
  };
}

/** `{"80/tcp": [{HostIp, HostPort}]}`; a container port may be published several times. */
export function portBindings(ports: readonly PortMapping[]): Bindings {
  const bindings: Bindings = {};
  for (const port of ports) {
    const key = `${port.containerPort}/${port.protocol}`;
    bindings[key] = [...(bindings[key] ?? []), { HostIp: port.hostIp, HostPort: hostPortText(port) }];
  }
  return bindings;
}

/** Ports that are declared and not published are there too, with null. */
function runningPorts(engine: Engine, record: ContainerRecord, state: ContainerState): Bindings {
  const declared = Object.fromEntries(record.exposed.map(port => [port, null]));
  return { ...declared, ...portBindings(servedPorts(engine, record, state)) };
}

/** A driver of another version of tsbox may be unknown here: no address is no reason to show nothing. */
function addressOf(engine: Engine, record: ContainerRecord): string {
  try {
    const setup = networkDriver(record.network.driver).setup({
      containerId: record.id,
      runtimeDir: containerRuntimeDir(engine, record.id),
      ports: [],
      options: record.network.options,
    });
    return setup.address ?? '';
  } catch {
    return '';
  }
}
