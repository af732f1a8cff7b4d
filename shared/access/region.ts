import { optional, type Environment } from '../environment.ts';
import { AppError } from '../errors.ts';

/** The region that a function runs in. Throws CONFIG_INVALID. */
export function regionOf(env: Environment): string {
  const region = optional(env, 'AWS_REGION') ?? optional(env, 'AWS_DEFAULT_REGION');
  if (region === undefined) throw new AppError('CONFIG_INVALID', 'AWS_REGION is not set');
  return region;
}

/** A service's host in a region. The partition of China has a domain of its own. Pure. */
export function hostOf(service: string, region: string): string {
  return `${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}
