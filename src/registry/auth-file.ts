/** Who we are to a registry. Never printed: `JSON.stringify` and `inspect` show nothing of it. */
export class Credentials {
  readonly #username: string;
  readonly #secret: string;
  /** The secret is an OAuth2 refresh token, not a password. */
  readonly isToken: boolean;

  constructor(username: string, secret: string, isToken: boolean) {
    this.#username = username;
    this.#secret = secret;
    this.isToken = isToken;
  }

  get username(): string {
    return this.#username;
  }

  secret(): string {
    return this.#secret;
  }

  /** Value of an Authorization header. */
  basic(): string {
    return `Basic ${Buffer.from(`${this.#username}:${this.#secret}`).toString('base64')}`;
  }
}

/** What an auth file says about a host: ask this helper, or these are they. */
export type AuthEntry = { readonly helper: string } | { readonly credentials: Credentials };

const HUB_KEYS = ['https://index.docker.io/v1/', 'docker.io', 'index.docker.io', 'registry-1.docker.io'];

type Table = Readonly<Record<string, unknown>>;

const tableOf = (value: unknown): Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Table) : {};
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * Finds what a docker `config.json` or a containers `auth.json` (parsed JSON) has for a repository. Keys with a path
 * (`host/namespace`, containers-auth.json(5)) go before the bare host; a helper for the host before stored secrets.
 */
export function findAuth(file: unknown, host: string, path: string): AuthEntry | undefined {
  const doc = tableOf(file);
  const helpers = tableOf(doc.credHelpers);
  for (const key of hostKeys(host)) {
    const helper = textOf(helpers[key]);
    if (helper !== '') return { helper };
  }
  const auths = new Map(
    Object.entries(tableOf(doc.auths)).map(([key, value]) => [plainKey(key), tableOf(value)]),
  );
  for (const key of [...pathKeys(host, path), ...hostKeys(host)]) {
    const credentials = decode(auths.get(plainKey(key)));
    if (credentials !== undefined) return { credentials };
  }
  const store = textOf(doc.credsStore);
  return store === '' ? undefined : { helper: store };
}

/** The names under which a host's secrets may be kept. Also what a credential helper is asked for. */
export function hostKeys(host: string): readonly string[] {
  return HUB_KEYS.includes(host) ? HUB_KEYS : [host];
}

function pathKeys(host: string, path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, i) => [host, ...parts.slice(0, parts.length - i)].join('/'));
}

/** Old files have URLs as keys: `https://host/v1/` means the host. */
function plainKey(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '');
}

function decode(entry: Table | undefined): Credentials | undefined {
  if (entry === undefined) return undefined;
  const token = textOf(entry.identitytoken);
  const [user, password] = userAndPassword(entry);
  if (token !== '') return new Credentials(user, token, true);
  return user === '' ? undefined : new Credentials(user, password, false);
}

function userAndPassword(entry: Table): [string, string] {
  const auth = textOf(entry.auth);
  if (auth === '') return [textOf(entry.username), textOf(entry.password)];
  const plain = Buffer.from(auth, 'base64').toString();
  const colon = plain.indexOf(':');
  return colon < 0 ? ['', ''] : [plain.slice(0, colon), plain.slice(colon + 1).replace(/\0+$/, '')];
}
