/** One request of the contract, in order, with what must be in the answer. */
export interface Exchange {
  readonly title: string;
  readonly request: readonly [method: string, path: string, body?: unknown];
  readonly status: number;
  /** Must be part of the answer, deeply. */
  readonly answer?: object;
  /** The names of the offending fields, exactly. */
  readonly fields?: readonly string[];
}

/** The way to write exchanges down briefly. */
export function exchange(
  title: string,
  request: Exchange['request'],
  status: number,
  answer?: object,
  rest: Pick<Exchange, 'fields'> = {},
): Exchange {
  return { title, request, status, ...(answer === undefined ? {} : { answer }), ...rest };
}

export const SERVICE = '6b0d7a53-0c22-5a3e-9d8e-0a6d1a3c1f01';
export const OTHER_SERVICE = '6b0d7a53-0c22-5a3e-9d8e-0a6d1a3c1f02';
export const ROUTE = '6b0d7a53-0c22-5a3e-9d8e-0a6d1a3c1f03';
export const PLUGIN = '6b0d7a53-0c22-5a3e-9d8e-0a6d1a3c1f04';
export const CONSUMER = '6b0d7a53-0c22-5a3e-9d8e-0a6d1a3c1f05';
export const CREDENTIAL = '6b0d7a53-0c22-5a3e-9d8e-0a6d1a3c1f06';
export const UPSTREAM = '6b0d7a53-0c22-5a3e-9d8e-0a6d1a3c1f07';
export const TARGET = '6b0d7a53-0c22-5a3e-9d8e-0a6d1a3c1f08';
export const CERTIFICATE = '6b0d7a53-0c22-5a3e-9d8e-0a6d1a3c1f09';
export const CA_CERTIFICATE = '6b0d7a53-0c22-5a3e-9d8e-0a6d1a3c1f0b';
export const SNI = '6b0d7a53-0c22-5a3e-9d8e-0a6d1a3c1f0c';
export const VAULT = '6b0d7a53-0c22-5a3e-9d8e-0a6d1a3c1f0d';
export const ABSENT = '6b0d7a53-0c22-5a3e-9d8e-0a6d1a3c1fff';

export const violation = { code: 2, name: 'schema violation' };
export const duplicate = { code: 5, name: 'unique constraint violation' };
export const notFound = { message: 'Not found' };

export const service = (name: string, more: object = {}) => ({ name, host: 'shop.example.com', ...more });
