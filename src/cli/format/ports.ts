import type { ContainerSummary } from '../../index.ts';

type Port = ContainerSummary['ports'][number];

/** docker's short form: `0.0.0.0:8080->80/tcp`, runs of ports joined: `0.0.0.0:8000-8002->8000-8002/tcp`. */
export function portsText(ports: readonly Port[]): string {
  const sorted = [...ports].sort(
    (a, b) =>
      a.protocol.localeCompare(b.protocol) ||
      Number(a.hostIp.includes(':')) - Number(b.hostIp.includes(':')) ||
      a.hostIp.localeCompare(b.hostIp) ||
      a.containerPort - b.containerPort ||
      a.hostPort - b.hostPort,
  );
  const runs: Port[][] = [];
  for (const port of sorted) {
    const run = runs.at(-1);
    if (run && follows(run.at(-1), port)) run.push(port);
    else runs.push([port]);
  }
  return runs.map(runText).join(', ');
}

const follows = (a: Port | undefined, b: Port): boolean =>
  a !== undefined &&
  a.protocol === b.protocol &&
  a.hostIp === b.hostIp &&
  a.containerPort + 1 === b.containerPort &&
  a.hostPort + 1 === b.hostPort;

function runText(run: readonly Port[]): string {
  const [first, last] = [run[0], run.at(-1)];
  if (!first || !last) return '';
  const range = (from: number, to: number): string => (from === to ? String(from) : `${from}-${to}`);
  const ip = first.hostIp.includes(':') ? `[${first.hostIp}]` : first.hostIp;
  const host = range(first.hostPort, last.hostPort);
  return `${ip}:${host}->${range(first.containerPort, last.containerPort)}/${first.protocol}`;
}
