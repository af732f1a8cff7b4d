import { AppError } from '../errors.ts';
import type { HttpAnswer } from '../handler.ts';
import type { Database } from '../index/database.ts';
import { CONTENT_SECURITY_POLICY, page } from './page.ts';
import { prometheus } from './prometheus.ts';
import { readRecorded } from './read.ts';
import type { Failure } from './sections.ts';
import { NOTHING_RECORDED, statusOf, type Status } from './status.ts';

/** How the status can be had. */
export type View = 'page' | 'json' | 'metrics';

interface Shown {
  readonly status: Status;
  /** Why it is not known. */
  readonly failure: Failure | undefined;
}

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

const VIEWS: Readonly<Record<View, { readonly type: string; readonly body: (shown: Shown) => string }>> = {
  page: { type: 'text/html; charset=utf-8', body: ({ status, failure }) => page(status, failure) },
  json: {
    type: 'application/json',
    body: ({ status, failure }) =>
      JSON.stringify(failure === undefined ? status : { overall: status.overall, error: failure }),
  },
  metrics: {
    type: 'text/plain; version=0.0.4; charset=utf-8',
    body: ({ status, failure }) => (failure === undefined ? prometheus(status) : `# ${failure.code}\n`),
  },
};

/** Fails closed: an index that cannot be read gives `unknown` with the error's code. */
async function look(index: Database): Promise<Shown> {
  try {
    return { status: statusOf(await readRecorded(index)), failure: undefined };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { cause, nextStep } = error.info;
    const status: Status = { ...statusOf(NOTHING_RECORDED), overall: 'unknown' };
    return { status, failure: { code: error.code, cause, nextStep } };
  }
}

/** The status as a page, JSON or metrics: 200, or 503 with what is wrong while the index cannot be read. */
export async function answerStatus(view: View, index: Database): Promise<HttpAnswer> {
  const shown = await look(index);
  const { type, body } = VIEWS[view];
  return {
    statusCode: shown.failure === undefined ? 200 : 503,
    headers: { ...HEADERS, 'content-type': type },
    body: body(shown),
  };
}
