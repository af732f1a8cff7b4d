import { list, optional, required, url, type Environment } from '../environment.ts';
import { AppError } from '../errors.ts';

/** What the status page needs. */
export interface StatusConfig {
  /** Any of them is accepted, so that tokens can be rotated. */
  readonly tokens: readonly string[];
  /** PostgreSQL of the index. */
  readonly databaseUrl: string;
}

const POSTGRES = ['postgres:', 'postgresql:'];

/** Reads STATUS_TOKENS and KONG_STATE_DATABASE_URL, or KONG_DATABASE_URL. Throws CONFIG_INVALID. */
export function statusConfig(env: Environment): StatusConfig {
  const tokens = list(env, 'STATUS_TOKENS', []);
  if (tokens.length === 0) throw new AppError('CONFIG_INVALID', 'STATUS_TOKENS must hold at least one token');
  const state = optional(env, 'KONG_STATE_DATABASE_URL');
  const databaseUrl =
    state === undefined
      ? url('KONG_DATABASE_URL', required(env, 'KONG_DATABASE_URL'), POSTGRES)
      : url('KONG_STATE_DATABASE_URL', state, POSTGRES);
  return { tokens, databaseUrl };
}
