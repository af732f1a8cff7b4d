import { GATEWAY_CONTROLLER } from '../config.ts';
import { boolean, list, optional, type Environment } from '../environment.ts';
import { AppError } from '../errors.ts';
import type { PublishConfig } from './published.ts';

export interface StatusConfig extends PublishConfig {
  /** Statuses are written at all (KIC `--update-status`). */
  readonly enabled: boolean;
  /** Marks what is ours in lists that several controllers share. */
  readonly controller: string;
}

function service(env: Environment, name: string): string | undefined {
  const value = optional(env, name);
  if (value !== undefined && !/^[^/]+\/[^/]+$/.test(value)) {
    throw new AppError('CONFIG_INVALID', `${name} must be the namespace and name of a Service, like kong/kong-proxy`);
  }
  return value;
}

/** Reads what statuses depend on. Throws CONFIG_INVALID. */
export function statusConfig(env: Environment): StatusConfig {
  return {
    enabled: boolean(env, 'UPDATE_STATUS', true),
    controller: optional(env, 'GATEWAY_API_CONTROLLER_NAME') ?? GATEWAY_CONTROLLER,
    service: service(env, 'PUBLISH_SERVICE'),
    udpService: service(env, 'PUBLISH_SERVICE_UDP'),
    addresses: list(env, 'PUBLISH_STATUS_ADDRESS', []),
    udpAddresses: list(env, 'PUBLISH_STATUS_ADDRESS_UDP', []),
  };
}
