import type { Environment } from '../environment.ts';
import { AppError } from '../errors.ts';
import { assertApart, clusterSettings, type ClusterSettings } from './clusters.ts';
import { keepConnected } from './connection.ts';
import type { SecretReader } from './secrets.ts';
import { awsSecretReader, resolveSettings } from './settings.ts';

/** The clusters of a deployment, each with connections of its own. */
export interface Fleet<Connection> {
  readonly names: readonly string[];
  /** Connects when first asked; a failure is forgotten. Rejects with what connecting does. */
  readonly of: (name: string) => Promise<Connection>;
  close(): Promise<void>;
}

/** Compares those whose settings can be had; the others cannot write either. */
async function compare(clusters: readonly ClusterSettings[], secrets: SecretReader): Promise<void> {
  if (clusters.length === 1) return;
  const resolving = clusters.map(async ({ name, env }) => ({ name, env: await resolveSettings(env, secrets) }));
  const resolved = await Promise.allSettled(resolving);
  assertApart(resolved.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
}

/**
 * A fleet by environment variables. One cluster's trouble is not another's: each is connected when it is asked for. Throws
 * CONFIG_INVALID when two would delete each other's entities, and SECRET_* when CLUSTERS cannot be read.
 */
export async function connectFleet<Connection extends { close(): Promise<void> }>(
  settings: Environment,
  connect: (settings: Environment, secrets: SecretReader) => Promise<Connection>,
): Promise<Fleet<Connection>> {
  const secrets = awsSecretReader(settings);
  const { CLUSTERS } = await resolveSettings({ CLUSTERS: settings['CLUSTERS'] }, secrets);
  const clusters = clusterSettings({ ...settings, CLUSTERS });
  await compare(clusters, secrets);
  const made = new Map<string, Promise<Connection>>();
  return {
    names: clusters.map(({ name }) => name),
    of(name) {
      const cluster = clusters.find((one) => one.name === name);
      if (cluster === undefined)
        throw new AppError('CONFIG_INVALID', 'a cluster is asked for that CLUSTERS does not name');
      const connection =
        made.get(name) ??
        connect(cluster.env, secrets).catch((error: unknown) => {
          made.delete(name);
          throw error;
        });
      made.set(name, connection);
      return connection;
    },
    async close() {
      const ends = [...made.values()].map(async (connection) => (await connection).close());
      await Promise.allSettled(ends);
    },
  };
}

/** `connectFleet`, kept for the events of a function instance; see `keepConnected`. */
export function keepFleet<Connection extends { close(): Promise<void> }>(
  env: () => Environment,
  connect: (settings: Environment, secrets: SecretReader) => Promise<Connection>,
): () => Promise<Fleet<Connection>> {
  return keepConnected(env, (settings) => connectFleet(settings, connect));
}
