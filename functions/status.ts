import { keepFleet } from '../shared/access/fleet.ts';
import { resolveSettings } from '../shared/access/settings.ts';
import { stateSchema } from '../shared/config.ts';
import { AppError } from '../shared/errors.ts';
import { handler as onion } from '../shared/handler.ts';
import type { Database } from '../shared/index/database.ts';
import { indexPool } from '../shared/index/schema.ts';
import { answerStatus } from '../shared/page/answer.ts';
import { statusConfig, type StatusConfig } from '../shared/page/config.ts';
import { parseStatusRequest } from '../shared/page/request.ts';
import { openPool } from '../shared/pool.ts';
import { authenticate } from '../shared/webhook/authenticate.ts';

const CONNECTIONS = 2;
const STATEMENT_TIMEOUT_MS = 5_000;

/** Settings and connections of this function instance for one cluster. */
interface Setup {
  readonly config: StatusConfig;
  readonly index: Database;
  close(): Promise<void>;
}

const fleet = keepFleet(
  () => process.env,
  async (settings, secrets): Promise<Setup> => {
    const env = await resolveSettings(settings, secrets);
    const config = statusConfig(env);
    const pool = openPool(config.databaseUrl, CONNECTIONS, STATEMENT_TIMEOUT_MS);
    return { config, index: indexPool(pool, stateSchema(env)), close: () => pool.end() };
  },
);

/**
 * GET /status, /status/{token}, /status.json and /metrics: what converge and reconcile found of a cluster, read from its
 * index. `?cluster=` chooses one of several.
 */
export const handler = onion(
  'status',
  async (request) => {
    const { names, of } = await fleet();
    const [first = ''] = names;
    const known = request.cluster === undefined || names.includes(request.cluster);
    const { config, index } = await of(known ? (request.cluster ?? first) : first);
    authenticate(request, config.tokens, 'STATUS_UNAUTHORIZED');
    if (!known) throw new AppError('STATUS_NOT_FOUND', 'there is no such cluster');
    return answerStatus(request.view, index);
  },
  { kind: 'http', parse: parseStatusRequest },
);
