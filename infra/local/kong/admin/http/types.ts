import type { Json, JsonObject } from '../json.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface AdminRequest {
  readonly query: URLSearchParams;
  /** What was sent; form fields are still texts. */
  readonly body: JsonObject;
  readonly form: boolean;
  /** The path as it was sent, without the query. */
  readonly path: string;
}

export interface Reply {
  readonly status: number;
  /** No body at all when undefined. */
  readonly body?: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `params` are the decoded values of the path's parameters, in order. */
export type Handler = (request: AdminRequest, ...params: string[]) => Promise<Reply> | Reply;

/** A path such as `/services/{services}/routes` with what can be done there. */
export interface Endpoint {
  readonly path: string;
  readonly methods: Readonly<Partial<Record<Method, Handler>>>;
}

export const ok = (body: Json): Reply => ({ status: 200, body });
export const created = (body: Json): Reply => ({ status: 201, body });
export const NO_CONTENT: Reply = { status: 204 };
