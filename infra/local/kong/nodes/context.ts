import pg from 'pg';
import { DEFAULT_SETTINGS } from './settings.ts';
import type { NodeSettings } from './settings.ts';
import type { KongNode, KongOptions, KongStandIn } from './types.ts';

/** What the parts of one stand-in share while it starts. */
export interface Context {
  readonly options: KongOptions;
  readonly settings: NodeSettings;
  readonly log: (line: string) => void;
  /** Makes a pool of its own for a node. */
  pool(): pg.Pool;
  /** What has to be undone, in reverse order. */
  readonly undo: (() => Promise<void>)[];
}

/** Everything that `startKong` needs beside its options. */
export function createContext(options: KongOptions): Context {
  const log = options.log ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const undo: (() => Promise<void>)[] = [];
  return {
    options,
    settings: { ...DEFAULT_SETTINGS, ...options.settings },
    log,
    undo,
    pool() {
      // Kong's sessions are in UTC and call themselves kong.
      const made = new pg.Pool({
        connectionString: options.databaseUrl,
        application_name: 'kong',
        options: '-c TimeZone=UTC',
      });
      made.on('error', (error) => {
        // Closing connections may still hear that the server stops.
        if (!made.ending) log(`stand-in Kong: database connection lost: ${error.message}`);
      });
      // One in use fails its next statement.
      made.on('connect', (client) => client.on('error', () => undefined));
      undo.push(() => made.end());
      return made;
    },
  };
}

/** Ends what has been started, the last first. */
export async function undoAll(context: Context): Promise<void> {
  for (const step of context.undo.splice(0).toReversed()) {
    // Whatever cannot be ended in order must not keep the rest running.
    await step().catch((error: unknown) => context.log(`stand-in Kong: ${String(error)}`));
  }
}

/** The running stand-in, announced by a log line. */
export function standIn(
  context: Context,
  adminUrls: readonly string[],
  nodes: readonly KongNode[],
  cluster?: KongStandIn['cluster'],
): KongStandIn {
  const { topology } = context.options;
  const [adminUrl = ''] = adminUrls;
  context.log(`stand-in Kong (not Kong Gateway), ${topology}, Admin API on ${adminUrls.join(', ')}`);
  return { topology, adminUrls, adminUrl, nodes, cluster, stop: () => undoAll(context) };
}
