import { TsboxError } from '../errors.ts';
import { describe, readRefusal } from './answer.ts';
import type { Credentials } from './auth-file.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { HttpResponse } from './http.ts';
import type { Token, TokenRequest } from './token.ts';

export interface AuthenticatorOptions {
  readonly host: string;
  credentials(): Promise<Credentials | undefined>;
  token(request: Pick<TokenRequest, 'realm' | 'service' | 'scope' | 'credentials'>): Promise<Token>;
}

/**
 * Knows what to send as Authorization to one registry: nothing until it challenges us, then a token per scope (kept until it
 * ends) or Basic. What it knows is for that registry's origin alone.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #tokens = new Map<string, Token>();
  readonly #pending = new Map<string, Promise<void>>();
  #basic: string | undefined;
  #credentials: Promise<Credentials | undefined> | undefined;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** The header's value for that scope (`repository:a/b:pull`), if there is one by now. */
  header(scope: string): string | undefined {
    const token = this.#tokens.get(scope);
    if (token !== undefined && token.until > Date.now()) return `Bearer ${token.value}`;
    return this.#basic;
  }

  /**
   * Handles a 401 that came although `sent` was sent: afterwards `header` gives something new. Parallel requests share one
   * answer. Throws UNAUTHORIZED when there is nothing to try.
   */
  async answer(response: HttpResponse, scope: string, sent: string | undefined): Promise<void> {
    const current = this.header(scope);
    if (current !== undefined && current !== sent) {
      response.body.cancel();
      return;
    }
    const known = this.#pending.get(scope);
    if (known !== undefined) {
      response.body.cancel();
      return known;
    }
    const work = this.#answer(response, scope, sent).finally(() => this.#pending.delete(scope));
    this.#pending.set(scope, work);
    return work;
  }

  async #answer(response: HttpResponse, scope: string, sent: string | undefined): Promise<void> {
    const challenges = parseChallenges(response.headers['www-authenticate'] ?? '');
    const bearer = challenges.find(c => c.scheme === 'bearer' && c.params.realm !== undefined);
    const credentials = await this.#ownCredentials();
    const basic =
      challenges.some(c => c.scheme === 'basic') && credentials?.isToken === false
        ? credentials.basic()
        : undefined;
    if (bearer === undefined && (basic === undefined || basic === sent))
      throw await this.refusal(response, scope);
    response.body.cancel();
    if (bearer !== undefined) await this.#bearer(bearer, scope, credentials);
    else this.#basic = basic;
  }

  async #bearer({ params }: Challenge, scope: string, credentials: Credentials | undefined): Promise<void> {
    const wanted = {
      realm: params.realm ?? '',
      service: params.service,
      scope: joined(params.scope, scope),
      credentials,
    };
    this.#tokens.delete(scope);
    this.#tokens.set(scope, await this.#options.token(wanted));
  }

  #ownCredentials(): Promise<Credentials | undefined> {
    this.#credentials ??= this.#options.credentials();
    return this.#credentials;
  }

  /** The error for an answer 401 or 403 that stays, to a request with that scope. */
  async refusal(response: HttpResponse, scope: string): Promise<TsboxError> {
    const refusal = describe(await readRefusal(response));
    const { host } = this.#options;
    const known = (await this.#ownCredentials()) !== undefined;
    if (scope === '' && known) return refused(host, refusal);
    const who = known ? 'you in with the credentials given' : 'anybody in without credentials';
    const hint = known
      ? 'check the name, and the credentials in ~/.docker/config.json or containers/auth.json'
      : `check the name, or log in: tsbox login ${host}`;
    const text = `registry ${host} does not let ${who}: ${reasonFor(scope)} (${refusal})`;
    return new TsboxError('UNAUTHORIZED', text, { hint });
  }
}

function refused(host: string, refusal: string): TsboxError {
  return new TsboxError('UNAUTHORIZED', `registry ${host} refuses the credentials given (${refusal})`, {
    hint: 'check the user name and password; some registries want an access token in place of the password',
  });
}

function reasonFor(scope: string): string {
  if (scope.startsWith('registry:')) return 'its repositories are not listed for everybody';
  return scope.includes('push')
    ? 'the repository does not exist, or you may not push to it'
    : 'the image does not exist, or it is private';
}

/** What the registry asks for and what we need: some name only part of it in their challenge. */
function joined(asked: string | undefined, needed: string): string {
  const words = [...(asked ?? '').split(' '), ...needed.split(' ')].filter(word => word !== '');
  return [...new Set(words)].join(' ');
}
