import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes a directory for `nginx -c /srv/nginx.conf`: port 8080 answers `hello` and writes nothing but to stderr. */
export function nginxDirectory(dir: string): void {
  mkdirSync(dir, { recursive: true });
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(n => `${n}_temp_path /srv/t;`);
  const server = 'server { listen 8080 backlog=4096; location / { return 200 "hello\\n"; } }';
  writeFileSync(
    join(dir, 'nginx.conf'),
    `daemon off; worker_processes 1; pid /srv/pid; error_log stderr crit;
events { worker_connections 4096; }
http { access_log off; ${temp.join(' ')} ${server} }\n`,
  );
}
