/** A stand-in for Kong Gateway on a real PostgreSQL, for the local stack and the tests. It is not Kong and says so. */

import { AppError } from '../../../shared/errors.ts';
import { createContext, undoAll } from './nodes/context.ts';
import { startHybrid } from './nodes/hybrid.ts';
import { startTraditional } from './nodes/traditional.ts';
import type { KongOptions, KongStandIn } from './nodes/types.ts';

export type { Faults } from './admin/faults.ts';
export type { NodeSettings } from './nodes/settings.ts';
export type { KongNode, KongOptions, KongStandIn } from './nodes/types.ts';

/**
 * Starts the stand-in on 127.0.0.1. Hybrid: one control plane with the Admin API and two data planes. Traditional: two
 * nodes, each with an Admin API. Throws KONG_STAND_IN_FAILED, and then nothing is left running.
 */
export async function startKong(options: KongOptions): Promise<KongStandIn> {
  const context = createContext(options);
  try {
    return await (options.topology === 'hybrid' ? startHybrid(context) : startTraditional(context));
  } catch (error) {
    await undoAll(context);
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError('KONG_STAND_IN_FAILED', `the stand-in Kong did not start: ${reason}`, { cause: error });
  }
}
