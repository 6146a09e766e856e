import type { ProgressEvent } from '../log.ts';

/** What the use-cases of registries take and give. */

/** When a registry is asked: always, if the image is not here, or never. */
export type PullPolicy = 'always' | 'missing' | 'never';

/** Options of {@link Tsbox.pull}. */
export interface PullOptions {
  /** `os/arch[/variant]`: which image of an index. Default: this machine's. Throws PLATFORM when there is none. */
  platform?: string;
  /** Default: `always`. */
  policy?: PullPolicy;
  /** Called for each change of a layer. Must not throw. Default: the reporter's `progress`. */
  onProgress?: (event: ProgressEvent) => void;
  /** Only an image whose signature a key of the policy verifies; one that is here already is asked for again. */
  requireSignature?: boolean;
  /** A containers-policy.json(5); default: the user's, then the machine's, else every image is accepted. */
  signaturePolicy?: string;
}

/** What a pull has brought. */
export interface PullResult {
  /** `sha256:…` of the image's config. */
  readonly id: string;
  /** Canonical name with tag or digest, e.g. docker.io/library/alpine:latest. */
  readonly reference: string;
  /** Digest of the manifest (or index) that the tag named. */
  readonly digest: string;
  /** False when everything was here already. */
  readonly downloaded: boolean;
}

/** Options of {@link Tsbox.push}. */
export interface PushOptions {
  /** Throws PLATFORM when the image here is for another one. */
  platform?: string;
  /** Bytes of one request of an upload. Default: the configuration's, else a blob is one request. */
  chunkSize?: number;
  /** Called for each change of a layer. Must not throw. Default: the reporter's `progress`. */
  onProgress?: (event: ProgressEvent) => void;
}

/** What the registry has now. */
export interface PushResult {
  /** Canonical name with tag. */
  readonly reference: string;
  /** Digest of the manifest in the registry. */
  readonly digest: string;
  /** Bytes of the manifest. */
  readonly size: number;
}

/** Options of {@link Tsbox.login}. */
export interface LoginOptions {
  /** `host[:port]`; default docker.io. */
  registry?: string;
  /** Default: the credentials that are kept already. */
  username?: string;
  /** Password or token. Default: the one that is kept already. */
  password?: string;
}

/** Where credentials were accepted, and what keeps them. */
export interface LoginResult {
  /** `host[:port]`, as it is kept. */
  readonly registry: string;
  /** Who is logged in. */
  readonly username: string;
  /** Name of the credential helper that keeps the password. */
  readonly helper?: string;
  /** The file that has the password in it, unencrypted. */
  readonly file?: string;
}

/** What {@link Tsbox.logout} did. */
export interface LogoutResult {
  /** `host[:port]`. */
  readonly registry: string;
  /** False: there were no credentials. */
  readonly removed: boolean;
}

/** Options of {@link Tsbox.search}. */
export interface SearchOptions {
  /** 1 to 100, default 25. */
  limit?: number;
  /** `stars`, `is-official`, `is-automated`. */
  filters?: Readonly<Record<string, readonly string[]>>;
}

/** One repository that was found. */
export interface SearchResult {
  /** With the registry, unless it is docker.io. */
  readonly name: string;
  /** One line; empty where the registry has none. */
  readonly description: string;
  /** 0 where the registry does not count. */
  readonly stars: number;
  /** One of docker's own; false elsewhere. */
  readonly official: boolean;
  /** Built by Docker Hub; false elsewhere. */
  readonly automated: boolean;
}
