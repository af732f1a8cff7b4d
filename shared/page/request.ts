import { AppError } from '../errors.ts';
import { isRecord } from '../json.ts';
import { parseHttpEvent } from '../webhook/request.ts';
import type { View } from './answer.ts';

/** A request for the status, not yet trusted. */
export interface StatusRequest {
  readonly view: View;
  readonly authorization: string | undefined;
  /** What follows `/status/` in the path. */
  readonly pathToken: string | undefined;
  /** The cluster that is asked for (`?cluster=`); undefined for the first one. */
  readonly cluster: string | undefined;
}

/** By the route of the HTTP API. */
const VIEWS: Readonly<Record<string, View>> = {
  'GET /status': 'page',
  'GET /status/{token}': 'page',
  'GET /status.json': 'json',
  'GET /metrics': 'metrics',
};

/** Reads an event of an HTTP API (payload format 2.0). Throws STATUS_NOT_FOUND. */
export function parseStatusRequest(event: unknown): StatusRequest {
  const routeKey = isRecord(event) ? event['routeKey'] : undefined;
  const view = typeof routeKey === 'string' && Object.hasOwn(VIEWS, routeKey) ? VIEWS[routeKey] : undefined;
  if (view === undefined) throw new AppError('STATUS_NOT_FOUND', 'there is no such path');
  const { headers, pathToken } = parseHttpEvent(event);
  const query = isRecord(event) ? event['queryStringParameters'] : undefined;
  const cluster = isRecord(query) ? query['cluster'] : undefined;
  return {
    view,
    authorization: headers['authorization'],
    pathToken,
    cluster: typeof cluster === 'string' ? cluster : undefined,
  };
}
