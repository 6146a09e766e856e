import type { ProgressEvent } from '../log.ts';

/** What the use-cases of registries take and give. */

export type PullPolicy = 'always' | 'missing' | 'never';

export interface PullOptions {
  platform?: string;
  policy?: PullPolicy;
  onProgress?: (event: ProgressEvent) => void;
  /** Only an image whose signature a key of the policy verifies; one that is here already is asked for again. */
  requireSignature?: boolean;
  /** A containers-policy.json(5); default: the user's, then the machine's, else every image is accepted. */
  signaturePolicy?: string;
}

export interface PullResult {
  readonly id: string;
  /** Canonical name with tag or digest, e.g. docker.io/library/alpine:latest. */
  readonly reference: string;
  /** Digest of the manifest (or index) that the tag named. */
  readonly digest: string;
  /** False when everything was here already. */
  readonly downloaded: boolean;
}

export interface PushOptions {
  /** Throws PLATFORM when the image here is for another one. */
  platform?: string;
  /** Bytes of one request of an upload. Default: the configuration's, else a blob is one request. */
  chunkSize?: number;
  onProgress?: (event: ProgressEvent) => void;
}

export interface PushResult {
  /** Canonical name with tag. */
  readonly reference: string;
  /** Digest of the manifest in the registry. */
  readonly digest: string;
  /** Bytes of the manifest. */
  readonly size: number;
}

export interface LoginOptions {
  /** `host[:port]`; default docker.io. */
  registry?: string;
  /** Default: the credentials that are kept already. */
  username?: string;
  password?: string;
}

export interface LoginResult {
  readonly registry: string;
  readonly username: string;
  /** Name of the credential helper that keeps the password. */
  readonly helper?: string;
  /** The file that has the password in it, unencrypted. */
  readonly file?: string;
}

export interface LogoutResult {
  readonly registry: string;
  readonly removed: boolean;
}

export interface SearchOptions {
  /** 1 to 100, default 25. */
  limit?: number;
  /** `stars`, `is-official`, `is-automated`. */
  filters?: Readonly<Record<string, readonly string[]>>;
}

export interface SearchResult {
  /** With the registry, unless it is docker.io. */
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly official: boolean;
  readonly automated: boolean;
}
