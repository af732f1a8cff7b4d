import type { Endpoint, Handler } from './types.ts';

/** A matched path: its handlers and the values of its parameters. */
export interface Match {
  readonly endpoint: Endpoint;
  readonly params: readonly string[];
}

const DEEPEST = 5;

/** Finds the endpoint of a path; fixed segments win over parameters. */
export function createDispatcher(endpoints: readonly Endpoint[]): (path: string) => Match | undefined {
  const known = new Map(endpoints.map((endpoint) => [segments(endpoint.path).map(wildcard).join('/'), endpoint]));
  return (path) => {
    const parts = segments(path);
    if (parts.length > DEEPEST) return undefined;
    // Counting up through the bits tries the pattern with the fewest parameters first where it matters: on the left.
    for (let mask = 0; mask < 2 ** parts.length; mask += 1) {
      const isParam = (i: number): boolean => (mask & (1 << (parts.length - 1 - i))) !== 0;
      const endpoint = known.get(parts.map((part, i) => (isParam(i) ? '*' : part)).join('/'));
      if (endpoint !== undefined) return { endpoint, params: parts.filter((_, i) => isParam(i)).map(decode) };
    }
    return undefined;
  };
}

function segments(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

function wildcard(segment: string): string {
  return segment.startsWith('{') ? '*' : segment;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The handler for a method; HEAD is a GET whose body is dropped later. */
export function handlerFor(endpoint: Endpoint, method: string): Handler | undefined {
  switch (method) {
    case 'HEAD':
    case 'GET':
      return endpoint.methods.GET;
    case 'POST':
      return endpoint.methods.POST;
    case 'PUT':
      return endpoint.methods.PUT;
    case 'PATCH':
      return endpoint.methods.PATCH;
    case 'DELETE':
      return endpoint.methods.DELETE;
    default:
      return undefined;
  }
}

/** The value of an endpoint's Allow header. */
export function allowed(endpoint: Endpoint): string {
  const own = Object.keys(endpoint.methods);
  return [...own, ...(own.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].toSorted().join(', ');
}
