import { isRecord } from '../../../shared/json.ts';
import type { Proof } from './journey.ts';
import type { Answer } from './probe.ts';

/** A field of the JSON that a backend answered, or undefined. */
export function field(answer: Answer, name: string): unknown {
  try {
    const body: unknown = JSON.parse(answer.body);
    return isRecord(body) ? body[name] : undefined;
  } catch {
    return undefined;
  }
}

/** The URL answers 200 from this backend, which saw `path` when one is given; https with the host's certificate. */
export function reaches(url: string, backend: string, path?: string): Proof {
  const { protocol, host, pathname } = new URL(url);
  const scheme = protocol === 'https:' ? 'https' : 'http';
  const shown = path === undefined ? '' : ` as ${path}`;
  return {
    scheme,
    host,
    path: pathname,
    says: `${url} reaches ${backend}${shown}`,
    holds: (answer) =>
      answer.status === 200 &&
      field(answer, 'backend') === backend &&
      (path === undefined || field(answer, 'path') === path) &&
      (scheme === 'http' || answer.certificate.includes(host)),
  };
}

/** The URL is answered with 404. */
export function isGone(url: string): Proof {
  const { host, pathname } = new URL(url);
  return {
    scheme: 'http',
    host,
    path: pathname,
    says: `${url} is gone (404)`,
    holds: (answer) => answer.status === 404,
  };
}
