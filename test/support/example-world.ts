import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CreateOptions, Tsbox } from '../../src/index.ts';
import { TSBOX } from './cli.ts';
import { busyboxImage, dockerArchive, layerWith, type TestImage } from './images.ts';
import { push } from './push.ts';
import { freePort, type Registry, startRegistry } from './registry.ts';
import { PROJECT } from './source.ts';
import { type TempHome, tempHome } from './temp-home.ts';

/**
 * A world in which the examples of help make sense: the images, containers, volumes, networks and files that they name. What
 * an example uses up is put back before the next one, by the library in this process, which costs little.
 */
export interface World {
  readonly home: TempHome;
  /** Where examples are typed. */
  readonly work: string;
  readonly tsbox: Tsbox;
  /** The line with addresses and ports of this world. */
  here(line: string): string;
  /** Everything is there, but what the line makes itself. */
  prepare(line: string): Promise<void>;
  end(): Promise<void>;
}

const SERVER = `#!/bin/sh
trap 'echo configured' HUP
trap 'exit 0' TERM INT
while :; do echo ready; sleep 0.2 & wait $!; done
`;
const PROGRAMS = {
  'usr/sbin/nginx': SERVER,
  'usr/bin/postgres': SERVER,
  'usr/bin/psql': '#!/bin/sh\ngrep -q SELECT\n',
  'usr/bin/go': '#!/bin/sh\n[ "$1" = build ] && [ -e main.go ]\n',
  'srv/check': '#!/bin/sh\n[ "$DEBUG" = 1 ] && [ "$(id -un)" = www-data ]\n',
};
const USERS = 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/srv:/bin/sh\n';

const image = (config: object): TestImage => {
  const base = busyboxImage();
  const layers = [...base.layers, layerWith(PROGRAMS, 0o755), layerWith({ 'etc/passwd': USERS })];
  return { layers, config: { ...base.config, ...config } };
};

/** Of docker.io and quay.io, which the registry stands in for. */
const IMAGES: Readonly<Record<string, TestImage>> = {
  'library/alpine:latest': image({}),
  'library/alpine:3.20': image({ Labels: { version: '3.20' } }),
  'library/golang:latest': image({ Cmd: ['go'] }),
  'library/nginx:latest': image({ Cmd: ['nginx'], WorkingDir: '/srv' }),
  'library/postgres:latest': image({ Cmd: ['postgres'] }),
  'fedora/fedora:40': { ...busyboxImage(), architecture: 'arm64' },
};
const PULLED = ['alpine:latest', 'alpine:3.20', 'golang:latest', 'nginx:latest', 'postgres:latest'];

const FILES: Readonly<Record<string, string>> = {
  Dockerfile: `FROM alpine AS base
ARG VERSION=1
COPY . /src
FROM base AS test
RUN echo $VERSION >/version
FROM base
RUN --mount=type=secret,id=token true
`,
  Makefile: 'install:\n\tcp main.go /usr/local/bin/from-make\n',
  'main.go': 'package main\n',
  'conf/app.conf': 'a = 1\n',
  'root/etc/motd': 'hello\n',
  'dump.sql': 'SELECT 1;\n',
  token: 'secret\n',
};
/** ssh and docker stand for another machine: this one. */
const STAND_INS: Readonly<Record<string, string>> = {
  ssh: '#!/bin/sh\nshift\nexec "$@"\n',
  docker: '#!/bin/sh\nexec tsbox "$@"\n',
};

function writeTree(dir: string, files: Readonly<Record<string, string>>, mode = 0o644): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(dir, path, '..'), { recursive: true });
    writeFileSync(join(dir, path), text);
    chmodSync(join(dir, path), mode);
  }
}

function files(dir: string, work: string, registry: Registry): void {
  const mirrors = `"docker.io" = ["${registry.url}"]\n"quay.io" = ["${registry.url}"]\n`;
  const repository = `[url "file://${dir}/app.git"]\n\tinsteadOf = https://github.com/user/app.git\n`;
  writeTree(dir, {
    '.config/tsbox/config.toml': `[registries.mirrors]\n${mirrors}`,
    '.gitconfig': `${repository}[user]\n\tname = me\n\temail = me@example.com\n`,
    '.token': 'secret\n',
    'app.git/docker/Dockerfile': 'FROM alpine\nCOPY Dockerfile /\n',
  });
  mkdirSync(join(dir, '.config/fish/completions'), { recursive: true });
  writeTree(join(dir, 'bin'), STAND_INS, 0o755);
  symlinkSync(TSBOX, join(dir, 'bin/tsbox'));
  writeTree(work, FILES);
  dockerArchive(busyboxImage(), 'loaded:1', join(work, 'images.tar'));
  const script =
    'cd "$1" && tar -C root -cJf root.tar.xz . && cd "$2/app.git" && git init -q -b main && git add . && git commit -qm one';
  const env = { ...process.env, HOME: dir };
  const done = spawnSync('sh', ['-c', script, 'sh', work, dir], { env, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(done.stderr);
}

const sleepless = { image: 'alpine', command: ['sh', '-c', 'mkdir out; echo 1 >out/result.csv; echo done'] };

/** The containers, in the order in which they can be made. */
const containers = (port: number): Readonly<Record<string, CreateOptions & { ended?: boolean }>> => ({
  web: { image: 'nginx', publish: [`127.0.0.1:${port}:80`] },
  db: { image: 'postgres', network: 'backend', volumes: ['data:/var/lib/db'] },
  job: { ...sleepless, network: 'none', ended: true },
});

/** What a line makes itself: `--name web`, `network create lab`. */
const makes = (line: string, name: string): boolean =>
  new RegExp(`(--name|network create|--internal) ${name}\\b`).test(line);

class Restorer {
  readonly #tsbox: Tsbox;
  readonly #registry: string;
  readonly #port: number;

  constructor(tsbox: Tsbox, registry: string, port: number) {
    this.#tsbox = tsbox;
    this.#registry = registry;
    this.#port = port;
  }

  async restore(line: string): Promise<void> {
    await this.#removeContainers(line);
    await this.#images();
    await this.#networks(line);
    await this.#tsbox.createVolume('old').catch(() => undefined); // it is there
    await this.#makeContainers(line);
  }

  /** Those that are not as they should be. */
  async #removeContainers(line: string): Promise<void> {
    const wanted = containers(this.#port);
    for (const { id, name, status, networks } of await this.#tsbox.containers({ all: true })) {
      const as = makes(line, name) ? undefined : wanted[name];
      const well = as && status === (as.ended ? 'exited' : 'running');
      const moved = name === 'db' && (networks.join() !== 'backend' || makes(line, 'backend'));
      if (!well || moved) await this.#tsbox.remove(id, { force: true, volumes: true });
    }
  }

  async #images(): Promise<void> {
    const there = new Set((await this.#tsbox.images()).flatMap(each => each.names));
    for (const name of PULLED) if (!there.has(name)) await this.#tsbox.pull(name);
    for (const name of ['app:latest', 'app:1', `${this.#registry}/app:latest`])
      if (!there.has(name)) await this.#tsbox.tag('alpine:3.20', name);
    // A line before may have built one of them anew.
    await this.#tsbox.tag('app', 'app:1');
  }

  async #networks(line: string): Promise<void> {
    const there = new Set((await this.#tsbox.networks()).map(each => each.name));
    for (const name of ['backend', 'lab']) {
      if (makes(line, name)) {
        if (there.has(name)) await this.#tsbox.removeNetwork(name);
      } else if (!there.has(name)) await this.#tsbox.createNetwork(name);
    }
  }

  async #makeContainers(line: string): Promise<void> {
    const there = new Set((await this.#tsbox.containers({ all: true })).map(each => each.name));
    for (const [name, { ended, ...options }] of Object.entries(containers(this.#port))) {
      if (there.has(name) || makes(line, name) || (name === 'db' && makes(line, 'backend'))) continue;
      await this.#tsbox.runDetached({ ...options, name });
      if (ended) await this.#tsbox.wait(name);
    }
  }
}

export async function openWorld(): Promise<World> {
  const own = tempHome();
  const work = join(own.dir, 'work');
  const env = { ...own.env, PATH: `${join(own.dir, 'bin')}:${own.env.PATH}` };
  const registry = await startRegistry();
  const [web, other] = [await freePort(), await freePort()];
  for (const [name, made] of Object.entries(IMAGES)) {
    const [repository = '', tag = ''] = name.split(':');
    await push(registry, repository, tag, made, 'none');
  }
  files(own.dir, work, registry);
  const { Tsbox } = (await import(join(PROJECT, 'dist/index.js'))) as typeof import('../../src/index.ts');
  const tsbox = await Tsbox.open({
    root: own.store,
    runtimeDir: join(own.dir, 'run/tsbox'),
    configFile: join(own.dir, '.config/tsbox/config.toml'),
  });
  const restorer = new Restorer(tsbox, registry.host, web);
  return {
    home: { ...own, env },
    work,
    tsbox,
    here: line =>
      line
        .replaceAll('registry.example', registry.host)
        .replaceAll('8080:', `${web}:`)
        .replaceAll('8443:', `${other}:`),
    prepare: line => restorer.restore(line),
    end: async () => {
      for (const { id } of await tsbox.containers({ all: true })) await tsbox.remove(id, { force: true });
      for (const { name } of await tsbox.networks())
        if (['backend', 'lab'].includes(name)) await tsbox.removeNetwork(name);
      await registry.stop();
    },
  };
}
