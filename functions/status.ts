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

interface Setup {
  readonly config: StatusConfig;
  readonly index: Database;
}

let made: Setup | undefined;

/** Settings and connections of this function instance, made at its first event. */
function setup(): Setup {
  if (made === undefined) {
    const config = statusConfig(process.env);
    const pool = openPool(config.databaseUrl, CONNECTIONS, STATEMENT_TIMEOUT_MS);
    made = { config, index: indexPool(pool, stateSchema(process.env)) };
  }
  return made;
}

/** GET /status, /status/{token}, /status.json and /metrics: what converge and reconcile found, read from the index. */
export const handler = onion(
  'status',
  async (request) => {
    const { config, index } = setup();
    authenticate(request, config.tokens, 'STATUS_UNAUTHORIZED');
    return answerStatus(request.view, index);
  },
  { kind: 'http', parse: parseStatusRequest },
);
