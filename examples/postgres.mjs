// A database for a test, and its end with the test's: the image is Debian with the package postgresql.
//
//   node examples/postgres.mjs IMAGE
//
// The server's data are made once and kept in a snapshot; each test gets a fork of it, which starts in the time that PostgreSQL takes.
import { Tsbox } from 'tsbox';

const ENVIRONMENT = { PGDATA: '/var/lib/postgresql/data', PGHOST: '/tmp', PGUSER: 'postgres' };

/** Databases that are made from one prepared directory. `await using` ends each. */
export class Databases {
  static async open(tsbox, image) {
    const box = await tsbox.sandbox({ image, user: 'postgres' });
    const { stdout } = await box.exec(['sh', '-c', 'ls -d /usr/lib/postgresql/*/bin']);
    const programs = String(stdout).trim();
    const env = { ...ENVIRONMENT, PATH: `${programs}:/usr/bin:/bin` };
    await must(box.exec(['initdb', '--auth=trust', '--no-sync'], { env }));
    const snapshot = await box.snapshot();
    return Object.assign(new Databases(), { box, snapshot, env });
  }

  /** A server of its own, ready for queries. */
  async start() {
    const [box] = await this.snapshot.start();
    const { env } = this;
    const options = '-c listen_addresses= -c unix_socket_directories=/tmp -c fsync=off';
    await must(
      box.exec(['pg_ctl', '-w', '-s', '-l', '/tmp/log', '-o', options, 'start'], { env, timeoutMs: 30_000 }),
    );
    return {
      query: async sql => String((await must(box.exec(['psql', '-qAtX', '-c', sql], { env }))).stdout).trim(),
      [Symbol.asyncDispose]: () => box.close(),
    };
  }

  async [Symbol.asyncDispose]() {
    await this.snapshot.remove();
    await this.box.close();
  }
}

async function must(work) {
  const done = await work;
  if (done.exitCode === 0) return done;
  throw new Error(`status ${done.exitCode}: ${done.stderr}${done.stdout}`);
}

const databases = await Databases.open(await Tsbox.open(), process.argv[2] ?? 'postgres');
const [one, two] = await Promise.all([databases.start(), databases.start()]);
try {
  await one.query('create table t (n int)');
  await one.query('insert into t select generate_series(1, 1000)');
  console.log('one:', await one.query('select count(*) from t'));
  console.log('two:', await two.query("select count(*) from pg_tables where tablename = 't'"));
} finally {
  for (const each of [one, two, databases]) await each[Symbol.asyncDispose]();
}
