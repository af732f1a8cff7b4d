import { integer } from '../config.ts';
import { choice } from '../environment.ts';
import type { Environment } from '../config.ts';
import type { LiveSet } from './hybrid-verdict.ts';

/** What convergence cannot learn from Kong. */
export interface ConvergenceConfig {
  /** Control plane nodes that share the database: more than one makes every proof take longer (DB §2.7). */
  readonly controlPlanes: number;
  /** Which hybrid data planes count. */
  readonly live: LiveSet;
  /** From then on a silent hybrid data plane counts as cut off, ms; 45,000 unless given, as Kong's pings come every 30 s. */
  readonly silentAfterMs?: number;
  /**
   * What a data plane that Kong refuses to configure does to `Programmed`: it blocks it, as it never serves the change,
   * or it is left out, because it is to be replaced anyway.
   */
  readonly incompatible: 'block' | 'ignore';
}

/**
 * Reads KONG_CONTROL_PLANES (2 unless set: a Service may hide several), KONG_DATA_PLANES (names, ids or addresses),
 * KONG_DATA_PLANE_FORGET_SECONDS (300), KONG_DATA_PLANE_SILENT_SECONDS (45) and KONG_INCOMPATIBLE_DATA_PLANES (block). Throws CONFIG_INVALID.
 */
export function convergenceConfig(env: Environment): ConvergenceConfig {
  const nodes = (env.KONG_DATA_PLANES ?? '')
    .split(',')
    .map((node) => node.trim())
    .filter((node) => node !== '');
  const forgetAfterMs = integer(env, 'KONG_DATA_PLANE_FORGET_SECONDS', 300, 45) * 1000;
  return {
    controlPlanes: integer(env, 'KONG_CONTROL_PLANES', 2, 1),
    live: nodes.length > 0 ? { kind: 'list', nodes } : { kind: 'seen', forgetAfterMs },
    silentAfterMs: integer(env, 'KONG_DATA_PLANE_SILENT_SECONDS', 45, 1) * 1000,
    incompatible: choice(env, 'KONG_INCOMPATIBLE_DATA_PLANES', ['block', 'ignore'], 'block'),
  };
}
