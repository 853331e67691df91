// SPDX-License-Identifier: Apache-2.0
import type { ConnectionOptions } from 'node:tls';

export type Kind = 'id_token' | 'client_assertion' | 'dpop_proof' | 'logout_token' | 'saml_assertion' | 'security_event' | 'attestation_proof'
  | 'workload_proof' | 'message_signature' | 'passport' | 'credential_proof' | 'custom';

/** What a verifier knows of a token that it has verified. Times are seconds since 1970. */
export interface Claims {
  kind: Kind;
  custom_kind?: string;
  iss?: string;
  /** The one audience for which the token was accepted. */
  aud?: string;
  client?: string;
  thumbprint?: string;
  jti?: string;
  signing_input?: string;
  iat?: number;
  nbf?: number;
  exp?: number;
  /** Seconds: the longest time from the first to the last moment at which anybody accepts it. */
  lifetime?: number;
  /** Your own id of this attempt; without one it is made up. */
  owner?: string;
}

export interface Reservation {
  key: string;
  owner: string;
}

export interface Admission {
  /** For how long it is remembered. */
  ttlMs: number;
  reservation: Reservation;
  owner: string;
}

export interface Decision {
  /** Whether this is the first use. Nothing else lets anybody in. */
  admitted: boolean;
  result: 'admitted' | 'replayed' | 'refused';
  reason: string;
  text?: string;
  ttlMs?: number;
  reservation?: Reservation;
  owner: string;
}

export interface GuardOptions {
  /** Path of the unix socket (`api_listen unix:PATH`); or url. */
  socket?: string;
  /** Of the service, with a path if it lies behind one. */
  url?: string;
  /** One of `api_secret`. */
  secret?: string;
  tls?: ConnectionOptions;
  /** How long a question may take, all tries together: 1 to 60000, 2000 unless it is given. */
  deadlineMs?: number;
  /** At most so many that stay open; 8 unless it is given. Questions beyond them wait, and go out in groups. */
  connections?: number;
}

export class Guard {
  constructor(options: GuardOptions);
  readonly deadlineMs: number;
  /** Resolves for a first use. Else it rejects, with Refused where the guard refused or could not be asked. */
  reserve(claims: Claims): Promise<Admission>;
  /** false for a replay, a refusal, and when nobody could say. */
  isFirstUse(claims: Claims): Promise<boolean>;
  /** Each for itself, in their order. Look at `admitted`. */
  admitMany(list: readonly Claims[]): Promise<Decision[]>;
  /** Give back, after a failure that is certain and your own. false: it has ended, or is another's. */
  release(reservation: Reservation): Promise<boolean>;
  close(): void;
}

export class Refused extends Error {
  constructor(parts: {
    result: 'replayed' | 'refused'; reason: string; text?: string; owner?: string; reservation?: Reservation; trouble?: boolean; cause?: unknown;
  });
  readonly result: 'replayed' | 'refused';
  /** A name of the service's, or `unreachable`, `unreadable`, `unauthorized`. */
  readonly reason: string;
  readonly replayed: boolean;
  /** It says nothing about what was shown: the guard could not answer. */
  readonly trouble: boolean;
  /** With it the same may be asked again. */
  readonly owner?: string;
  readonly reservation?: Reservation;
}

export interface Scope {
  issuer?: string;
  audience?: string;
  /** Of this one, where it is known to be longer. */
  lifetimeMs?: number;
}

/** An id that passes once: what the store interfaces of frameworks have in common. */
export class UniqueStore {
  constructor(guard: Guard, options: { kind: string; lifetimeMs: number });
  readonly lifetimeMs: number;
  /** Rejects, with Refused, unless this is the first use. */
  assertUnique(id: string, scope?: Scope): Promise<Admission>;
  /** The same for what ends at endMs (since 1970), which is at most lifetimeMs from now. */
  assertUniqueUntil(id: string, endMs: number, scope?: Scope): Promise<Admission>;
  /** false for a replay; rejects when the guard cannot answer. */
  isUnique(id: string, scope?: Scope): Promise<boolean>;
}

/** oidc-provider: replaces ReplayDetection.unique. */
export function guardOidcProvider<Provider extends object>(provider: Provider, guard: Guard, options?: { lifetimeMs?: number; kind?: string }): Provider;

/** @atproto/oauth-provider: its ReplayStore. */
export function atprotoReplayStore(
  guard: Guard, options?: { kind?: string; timeFrameMs?: (namespace: string, timeFrame: number) => number },
): { unique(namespace: string, nonce: string, timeFrame: number): Promise<boolean> };

/** @adcp/sdk: its ReplayStore. */
export function adcpReplayStore(guard: Guard, options?: { kind?: string }): {
  has(keyid: string, scope: string, nonce: string, now: number): Promise<boolean>;
  isCapHit(keyid: string, scope: string, now: number): Promise<boolean>;
  insert(keyid: string, scope: string, nonce: string, ttlSeconds: number, now: number): Promise<'ok' | 'replayed' | 'rate_abuse'>;
};

/** @node-saml/node-saml: lets each assertion in once. */
export function guardSaml<Saml extends object>(saml: Saml, guard: Guard, options?: { lifetimeMs?: number }): Saml;

/** @node-saml/node-saml: options of it, so that each request is answered once, on whatever worker. */
export function samlRequests(guard: Guard, options: { secret: string; expirationMs?: number; kind?: string }): {
  requestIdExpirationPeriodMs: number;
  generateUniqueId(): string;
  cacheProvider: {
    saveAsync(key: string, value: string): Promise<{ value: string; createdAt: number } | null>;
    getAsync(key: string): Promise<string | null>;
    removeAsync(key: string | null): Promise<string | null>;
  };
};

/** Claims out of the payload of a token that was verified. */
export function claimsOf(payload: unknown, options?: { kind?: Kind; audience?: string }): Claims;

/** Middleware of Express. claims(request): of what its token verifier has left there. */
export function expressOnce<Request, Response>(
  guard: Guard, claims: (request: Request) => Claims | Promise<Claims>,
): (request: Request, response: Response, next: (error?: unknown) => void) => Promise<void>;

/** A preHandler hook of Fastify. */
export function fastifyOnce<Request, Reply>(
  guard: Guard, claims: (request: Request) => Claims | Promise<Claims>,
): (request: Request, reply: Reply) => Promise<unknown>;
