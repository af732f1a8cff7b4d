import type { Logger } from '@aws-lambda-powertools/logger';
import { AppError } from '../errors.ts';
import { announce } from '../outcome.ts';
import type { Publisher } from '../publish.ts';
import type { SliceResult } from '../slice.ts';

export type ReportLogger = Pick<Logger, 'info' | 'warn' | 'error'>;

/** Tells somebody outside (the objects' statuses, their Events) what slices did. */
export interface Reporter {
  /** For the log. */
  readonly name: string;
  /** Tells of slices, in the order in which they ran. A rejection is logged and fails nothing. */
  tell(slices: readonly SliceResult[], logger: ReportLogger): Promise<void>;
  /** Says again what is still so, where what was said does not last. A rejection is logged and fails nothing. */
  remind?(): Promise<void>;
}

export interface ReportTools {
  readonly logger: ReportLogger;
  readonly publisher: Publisher;
  readonly reporters: readonly Reporter[];
}

/** Runs a reporter's work. What is done stays done when nobody can be told: that is only logged, by its code. */
export async function reported(name: string, logger: Pick<Logger, 'error'>, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { code, message } =
      error instanceof AppError
        ? error
        : { code: 'INTERNAL', message: error instanceof Error ? error.name : 'a thrown value' };
    logger.error('not reported', { reporter: name, code, reason: message });
  }
}

/**
 * Step 6 of DESIGN §5: logs what slices did, with their findings, and tells the bus and every reporter. Never rejects.
 */
export async function report(slices: readonly SliceResult[], tools: ReportTools): Promise<void> {
  if (slices.length === 0) return;
  const { logger, publisher, reporters } = tools;
  await announce(slices, logger, publisher);
  for (const reporter of reporters) await reported(reporter.name, logger, () => reporter.tell(slices, logger));
}

/** Says again what is still so; for runs that look at the whole cluster. Never rejects. */
export async function remind({ logger, reporters }: Pick<ReportTools, 'logger' | 'reporters'>): Promise<void> {
  for (const reporter of reporters) await reported(reporter.name, logger, async () => reporter.remind?.());
}
