import type { Configuration, Route, Service } from './configuration.ts';

/** What of a request decides which route takes it. */
export interface RoutingRequest {
  readonly method: string;
  /** Lower case, without port. */
  readonly host: string;
  readonly port: number;
  /** Normalised (`normalizePath`). */
  readonly path: string;
  readonly scheme: 'http' | 'https';
  /** TLS server name, undefined when the client sent none. */
  readonly sni: string | undefined;
  /** Values of a header (lower-case name). */
  headers(name: string): readonly string[];
}

export interface Match {
  readonly route: Route;
  /** Undefined for a route without service. */
  readonly service: Service | undefined;
  /** What of the path matched, whether or not it is stripped; undefined for a route without paths. */
  readonly matchedPath: string | undefined;
  /** Captures of a path's regular expression: by number from 1, and by name. */
  readonly captures: Readonly<Record<string, string>>;
}

/** A flavour of Kong's router. */
export interface Router {
  select(request: RoutingRequest): Match | undefined;
}

/** Builds a router from a configuration; `onInvalid` hears of routes that cannot be added (Kong logs and skips them). */
export type BuildRouter = (
  configuration: Pick<Configuration, 'routes' | 'services'>,
  onInvalid?: (route: Route, reason: string) => void,
) => Router;
