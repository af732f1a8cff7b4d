import type { KongConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import { adminClient } from './admin.ts';
import { fixedNodes } from './admin-nodes.ts';
import type { AdminNode } from './admin-nodes.ts';
import type { KongRoot } from './root.ts';

/** A silent node must not use up a function's time. */
const TIMEOUT_MS = 3_000;
const ATTEMPTS = 2;

/** What a node says of itself, or why it does not: in at most twice 3 s. */
export async function probe(config: KongConfig, node: AdminNode): Promise<KongRoot | AppError> {
  const adminTimeoutMs = Math.min(config.adminTimeoutMs, TIMEOUT_MS);
  const admin = adminClient({ ...config, adminTimeoutMs }, ATTEMPTS, fixedNodes([node]));
  try {
    return await admin.root();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  } finally {
    admin.close();
  }
}
