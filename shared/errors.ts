/** Every error that leaves the project: a stable code, a cause, a next step. The README's troubleshooting is tested against it. */

export interface ErrorInfo {
  readonly cause: string;
  readonly nextStep: string;
  /** HTTP status of the answer when the error ends a request. */
  readonly status?: number;
  /** True when the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
}

export const ERRORS = {
  CONFIG_INVALID: {
    cause: 'A setting is missing or has a value that cannot be used.',
    nextStep: 'Correct the environment variable that the message names.',
    retryable: false,
  },
  NODE_TOO_OLD: {
    cause: 'A script runs on a Node.js older than 24.',
    nextStep: 'Run "npm ci" without --ignore-scripts and start it through its npm script.',
    retryable: false,
  },
} satisfies Record<string, ErrorInfo>;

export type ErrorCode = keyof typeof ERRORS;

/** An error with a code of the table. The message never holds secrets. */
export class AppError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
  }

  get info(): ErrorInfo {
    return ERRORS[this.code];
  }
}
