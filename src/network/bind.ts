import { builtin } from '../util/builtin.ts';

/**
 * Binds a port of this machine for a moment. Resolves with it (port 0: the one that the kernel chose); rejects with
 * Node's system error: EADDRINUSE, EACCES, EADDRNOTAVAIL.
 */
export function tryBind(ip: string, port: number, protocol: 'tcp' | 'udp'): Promise<number> {
  return protocol === 'tcp' ? tryTcp(ip, port) : tryUdp(ip, port);
}

/** That port, or undefined when it cannot be had. */
export function freePort(ip: string, port: number, protocol: 'tcp' | 'udp'): Promise<number | undefined> {
  return tryBind(ip, port, protocol).catch(() => undefined);
}

function tryTcp(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = builtin('node:net').createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound ? bound.port : port));
    });
  });
}

function tryUdp(address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = builtin('node:dgram').createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', error => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      const bound = socket.address().port;
      socket.close(() => resolve(bound));
    });
  });
}
