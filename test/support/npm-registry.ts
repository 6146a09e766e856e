import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PROJECT } from './source.ts';

/** A package as npm packs it. */
export interface Packed {
  readonly manifest: { readonly name: string; readonly version: string };
  readonly tarball: Buffer;
}

/** What `npm pack` has written. */
export function packed(file: string): Packed {
  const manifest = spawnSync('tar', ['-xzOf', file, 'package/package.json'], { encoding: 'utf8' }).stdout;
  return { manifest: JSON.parse(manifest) as Packed['manifest'], tarball: readFileSync(file) };
}

/** An installed package, as it lies in node_modules. */
export function installed(name: string): Packed {
  const dir = join(PROJECT, 'node_modules', name);
  const args = ['-czf', '-', '--transform', 's,^\\.,package,', '-C', dir, '.'];
  const { stdout } = spawnSync('tar', args, { maxBuffer: 1 << 28 });
  const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Packed['manifest'];
  return { manifest, tarball: stdout };
}

/** An npm registry on loopback that has these packages, one version of each, and nothing else: 404. */
export async function npmRegistry(
  packages: readonly Packed[],
): Promise<{ readonly url: string; stop: () => Promise<void> }> {
  const byName = new Map(packages.map(p => [p.manifest.name, p]));
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname).slice(1);
    const [name = '', file] = path.split('/-/');
    const found = byName.get(name);
    if (!found) response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}');
    else if (file) response.end(found.tarball);
    else answer(response, found, `http://${request.headers.host}`);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const stop = (): Promise<void> =>
    new Promise(resolve => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, stop };
}

function answer(response: ServerResponse, { manifest }: Packed, base: string): void {
  const { name, version } = manifest;
  const dist = { tarball: `${base}/${name}/-/${version}.tgz` };
  const body = { name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}
