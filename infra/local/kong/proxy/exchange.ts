import type { Balancer } from './balancer.ts';
import type { Configuration, Consumer } from './configuration.ts';
import type { Headers } from './headers.ts';
import type { PluginIndex } from './plugins/scope.ts';
import type { Match, Router } from './router.ts';

/** What one worker serves requests with. */
export interface ProxyState {
  readonly router: Router;
  readonly plugins: PluginIndex;
  /** By upstream name. */
  readonly balancers: ReadonlyMap<string, Balancer>;
  readonly configuration: Pick<Configuration, 'consumers' | 'keyauthCredentials' | 'certificates' | 'caCertificates'>;
}

/** An answer that Kong itself gives. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The request as the client sent it. */
export interface ClientRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** The Host header. */
  readonly host: string;
  /** The port of Kong's listener. */
  readonly port: number;
  readonly remoteAddress: string;
  /** As sent, without the query. */
  readonly rawPath: string;
  /** Without `?`; undefined when there is no `?`. */
  readonly query: string | undefined;
  readonly headers: Headers;
  /** Reads the whole body, once for all callers; without a call the body streams through. */
  body(): Promise<Buffer>;
}

/** The request that goes to the upstream; plugins change it. */
export interface UpstreamRequest {
  method: string;
  /** Not escaped. */
  path: string;
  query: string | undefined;
  /** Without Host. */
  readonly headers: Headers;
  /** Host header to send instead of the target's. */
  host: string | undefined;
  /** Set when a plugin replaced the body. */
  body: Buffer | undefined;
}

/** One request on its way through a data plane. */
export interface Exchange {
  readonly id: string;
  readonly nodeId: string;
  readonly state: ProxyState;
  readonly match: Match;
  readonly request: ClientRequest;
  readonly upstream: UpstreamRequest;
  /** Set by an authentication plugin. */
  consumer: Consumer | undefined;
  /** Id of the credential that authenticated the consumer. */
  credential: string | undefined;
  /** Fields that plugins want on the answer, whoever gives it. */
  readonly responseHeaders: Headers;
}

/** Kong's error body since 3.5; the request id helps to find the log line. */
export function errorReply(
  status: number,
  message: string,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return {
    status,
    headers: { ...headers, 'content-type': 'application/json; charset=utf-8' },
    body: `{\n  "message":${JSON.stringify(message)},\n  "request_id":"${requestId}"\n}`,
  };
}
