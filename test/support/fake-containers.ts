import type { ContainerSummary } from '../../src/index.ts';

/** Two containers as `Tsbox.containers` gives them, and the time at which they are looked at. */
export const ID = 'c0ffee'.padEnd(64, '0');
export const NOW = Date.parse('2024-05-01T12:00:00Z');

export const WEB: ContainerSummary = {
  id: ID,
  name: 'web',
  image: 'nginx',
  imageId: `sha256:${'a'.repeat(64)}`,
  command: "nginx -g 'daemon off;' and more",
  created: '2024-05-01T11:00:00Z',
  status: 'running',
  exitCode: 0,
  startedAt: '2024-05-01T11:58:00Z',
  finishedAt: undefined,
  pid: 7,
  ports: [{ hostIp: '0.0.0.0', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
  labels: { team: 'x', 'a.b': '1' },
  mounts: ['data', '/home/user/a/long/path'],
  networks: ['slirp4netns'],
};
export const OLD: ContainerSummary = {
  ...WEB,
  id: 'd'.repeat(64),
  name: 'old',
  status: 'exited',
  exitCode: 3,
  finishedAt: '2024-04-29T12:00:00Z',
  ports: [],
};
export const containers = async () => [WEB, OLD];
