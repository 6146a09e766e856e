/** `host`, `host:port`, `[v6]:port` to the bare host, lower case, brackets kept. */
export function bareHost(host: string): string {
  return host.replace(/:[0-9]+$/, '').toLowerCase();
}

/** True for names and addresses that never leave this machine (RFC 6761 for localhost, RFC 1122 for 127/8). */
export function isLoopback(host: string): boolean {
  const bare = bareHost(host);
  if (bare === 'localhost' || bare.endsWith('.localhost') || bare === '[::1]') return true;
  return /^127(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}$/.test(bare);
}

/** Where docker.io's registry really is; every other registry is where its name says. */
export function serverOf(domain: string): string {
  return domain === 'docker.io' || domain === 'index.docker.io' ? 'registry-1.docker.io' : domain;
}
