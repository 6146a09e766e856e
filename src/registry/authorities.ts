import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { absoluteEnvironment, environment } from '../host/paths.ts';

/** Where distributions keep the authorities that their administrator trusts; Node brings its own list and does not look there. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * Certificates (PEM) believed for `host`: Node's, the machine's, and `*.crt` of the host's certs.d directories
 * (containers-certs.d(5), and docker's). Reading the machine's takes tens of milliseconds: only when Node's did not do.
 */
export async function authoritiesFor(host: string): Promise<string[]> {
  const user = join(absoluteEnvironment('XDG_CONFIG_HOME') ?? join(homedir(), '.config'), 'containers');
  const directories = [user, '/etc/containers', '/etc/docker'].map(dir => join(dir, 'certs.d', host));
  const own = (await Promise.all(directories.map(certificatesIn))).flat();
  return [...rootCertificates, ...own, ...(await extra()), ...(await machineBundle())];
}

/** Node's own variable, which src/cli/boot.sh takes from it. */
async function extra(): Promise<string[]> {
  const file = environment('NODE_EXTRA_CA_CERTS');
  return file === undefined ? [] : [await readText(file)].filter(text => text !== '');
}

async function certificatesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((): string[] => []);
  const files = names.filter(name => name.endsWith('.crt')).map(name => join(directory, name));
  return (await Promise.all(files.map(readText))).filter(text => text !== '');
}

async function machineBundle(): Promise<string[]> {
  const files = [absoluteEnvironment('SSL_CERT_FILE') ?? [], BUNDLES].flat();
  for (const file of files) {
    const text = await readText(file);
    if (text !== '') return [text];
  }
  return [];
}

function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
