import { keepConnected } from '../shared/access/connection.ts';
import { awsSecretReader, resolveSettings } from '../shared/access/settings.ts';
import { stateSchema } from '../shared/config.ts';
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

/** Settings and connections of this function instance. */
interface Setup {
  readonly config: StatusConfig;
  readonly index: Database;
  close(): Promise<void>;
}

const connection = keepConnected(
  () => process.env,
  async (settings): Promise<Setup> => {
    const env = await resolveSettings(settings, awsSecretReader(settings));
    const config = statusConfig(env);
    const pool = openPool(config.databaseUrl, CONNECTIONS, STATEMENT_TIMEOUT_MS);
    return { config, index: indexPool(pool, stateSchema(env)), close: () => pool.end() };
  },
);

/** GET /status, /status/{token}, /status.json and /metrics: what converge and reconcile found, read from the index. */
export const handler = onion(
  'status',
  async (request) => {
    const { config, index } = await connection();
    authenticate(request, config.tokens, 'STATUS_UNAUTHORIZED');
    return answerStatus(request.view, index);
  },
  { kind: 'http', parse: parseStatusRequest },
);
