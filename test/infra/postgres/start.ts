import { startPostgres } from '../../../infra/local/postgres.ts';

/** Run as a child process that the test kills: starts a server in argv[2] and tells its DSN. */
const server = await startPostgres({ directory: process.argv[2] ?? '' });
process.send?.(server.url);
