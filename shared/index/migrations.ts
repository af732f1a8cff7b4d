/**
 * The index's own schema, as migrations that are applied in order, once each, and never edited afterwards. The index
 * is a cache of what reconcile can rebuild; it never holds what a Secret holds.
 */
export const MIGRATIONS: readonly string[] = [
  `
  -- Which cluster the index belongs to.
  CREATE TABLE kong_ingress.meta (name text PRIMARY KEY, value text NOT NULL);

  -- One number a committed slice, in commit order, since slices hold a lock.
  CREATE SEQUENCE kong_ingress.slices;

  -- Roots as they were translated last. "translation" is the hash of all that came out.
  CREATE TABLE kong_ingress.roots (
    root text PRIMARY KEY,
    uid text,
    resource_version text,
    translation text NOT NULL,
    findings jsonb NOT NULL,
    slice bigint NOT NULL
  );
  CREATE INDEX roots_slice ON kong_ingress.roots (slice);

  -- What each root looked up: objects and queries, misses included.
  CREATE TABLE kong_ingress.sources (
    key text NOT NULL,
    root text NOT NULL,
    PRIMARY KEY (key, root)
  );
  CREATE INDEX sources_root ON kong_ingress.sources (root);

  -- Which query keys an object's last known version provided.
  CREATE TABLE kong_ingress.provides (object text PRIMARY KEY, keys text[] NOT NULL);

  -- Keys that changed, by the slice that worked them off: what a snapshot taken before must not be trusted for.
  CREATE TABLE kong_ingress.changes (
    slice bigint NOT NULL,
    key text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX changes_slice ON kong_ingress.changes (slice);
  CREATE INDEX changes_at ON kong_ingress.changes (at);

  -- What each root proposes, without bodies. Ranks compare by code unit.
  CREATE TABLE kong_ingress.proposals (
    root text NOT NULL,
    slot text NOT NULL,
    type text NOT NULL,
    id uuid NOT NULL,
    rank_class integer NOT NULL,
    rank_created text COLLATE "C" NOT NULL,
    rank_name text COLLATE "C" NOT NULL,
    refs jsonb NOT NULL,
    gate text,
    quiet boolean NOT NULL,
    body_hash text NOT NULL,
    content_hash text NOT NULL,
    withheld boolean NOT NULL,
    PRIMARY KEY (root, slot)
  );
  CREATE INDEX proposals_rank ON kong_ingress.proposals
    (slot, rank_class, rank_created, rank_name, root COLLATE "C") WHERE NOT withheld;

  -- Which roots refer to a slot or hang on winning it. "own": with another root's version of it they get nothing.
  CREATE TABLE kong_ingress.dependents (
    slot text NOT NULL,
    root text NOT NULL,
    own boolean NOT NULL,
    PRIMARY KEY (slot, root)
  );
  CREATE INDEX dependents_root ON kong_ingress.dependents (root);

  -- Who holds each slot, and the mark of Kong's row after our write.
  CREATE TABLE kong_ingress.entities (
    slot text PRIMARY KEY,
    type text NOT NULL,
    id uuid NOT NULL,
    proposed_id uuid NOT NULL,
    root text NOT NULL,
    body_hash text NOT NULL,
    hash text,
    row_version text
  );
  CREATE INDEX entities_id ON kong_ingress.entities (id);

  -- What a slice is about to write; rows that are left belong to a slice that died.
  CREATE TABLE kong_ingress.intents (
    type text NOT NULL,
    id uuid NOT NULL,
    slot text NOT NULL,
    root text,
    PRIMARY KEY (type, id)
  );

  -- What Kong rejected, and when it may be tried again unchanged.
  CREATE TABLE kong_ingress.quarantine (
    slot text PRIMARY KEY,
    type text NOT NULL,
    id uuid NOT NULL,
    root text,
    hash text,
    finding jsonb NOT NULL,
    attempts integer NOT NULL,
    retry_at timestamptz NOT NULL
  );
  CREATE INDEX quarantine_retry_at ON kong_ingress.quarantine (retry_at);

  -- One row a slice that wrote to Kong; converged_at is set when the data planes are proven to run it.
  CREATE TABLE kong_ingress.revisions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    written_at timestamptz NOT NULL,
    snapshot_xmax text NOT NULL,
    changes integer NOT NULL,
    converged_at timestamptz
  );
  CREATE INDEX revisions_open ON kong_ingress.revisions (id) WHERE converged_at IS NULL;
  `,
  `
  -- What converge saw of each hybrid data plane, by the clock of Kong's PostgreSQL: since when it holds its hash.
  CREATE TABLE kong_ingress.data_planes (
    node uuid PRIMARY KEY,
    hash text NOT NULL,
    row_xmin text NOT NULL,
    first_seen timestamptz NOT NULL,
    hash_since timestamptz NOT NULL,
    row_since timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
  );
  `,
  `
  -- When the slice began: its lock's transaction, whose time now() is, begins before the first write to Kong.
  ALTER TABLE kong_ingress.revisions ADD COLUMN started_at timestamptz NOT NULL DEFAULT now();
  `,
  `
  -- Who provides a key. Without a pending list: a slice must not pay for what earlier ones left in it.
  CREATE INDEX provides_keys ON kong_ingress.provides USING gin (keys) WITH (fastupdate = off);
  `,
  `
  -- What converge said last of each data plane, for whoever only reads. "since": how long it has been in this state;
  -- "announced": the trouble that listeners on the bus were told of. Rows of an earlier run than the last one are only
  -- remembered for that.
  CREATE TABLE kong_ingress.verdicts (
    node text PRIMARY KEY,
    state text NOT NULL,
    verdict jsonb NOT NULL,
    since timestamptz NOT NULL,
    judged_at timestamptz NOT NULL,
    announced text
  );

  -- The last run of a function, with counts that somebody should know.
  CREATE TABLE kong_ingress.runs (name text PRIMARY KEY, at timestamptz NOT NULL, report jsonb NOT NULL);

  -- When the next check of the data planes is due that has been asked for.
  CREATE TABLE kong_ingress.next_check (single boolean PRIMARY KEY DEFAULT true CHECK (single), at timestamptz NOT NULL);

  CREATE INDEX roots_findings ON kong_ingress.roots (root) WHERE findings <> '[]'::jsonb;
  `,
  `
  -- What an upstream's targets are made of, and the hash of those: one for all roots that say the same.
  ALTER TABLE kong_ingress.proposals ADD COLUMN backends jsonb, ADD COLUMN targets text;
  CREATE INDEX proposals_upstreams ON kong_ingress.proposals (slot) WHERE backends IS NOT NULL;

  -- Roots that a change reaches and that are still to be translated: the object that changed, as it was found then.
  CREATE TABLE kong_ingress.pending (
    object text NOT NULL,
    root text NOT NULL,
    version text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (object, root)
  );
  CREATE INDEX pending_root ON kong_ingress.pending (root);
  `,
  `
  -- What data planes had before: [{hash, since, floor}], times in ms, the newest first. "row_floor": the row was written
  -- after this time; "before_…": the same of the report before, when it had the same hash. "status_hash": what the data plane's own Status API says.
  ALTER TABLE kong_ingress.data_planes
    ADD COLUMN row_floor timestamptz NOT NULL DEFAULT to_timestamp(0),
    ADD COLUMN before_floor timestamptz,
    ADD COLUMN before_since timestamptz,
    ADD COLUMN earlier jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN status_hash text,
    ADD COLUMN status_since timestamptz;

  -- Processes of control planes, by their node ids: a restart gives a new one.
  CREATE TABLE kong_ingress.control_planes (
    node text PRIMARY KEY,
    first_seen timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
  );

  -- Versions that traditional nodes' caches have: "value" since a run that saw it first; "floor": not before this time.
  CREATE TABLE kong_ingress.node_caches (
    node text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    since timestamptz NOT NULL,
    floor timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (node, key)
  );

  -- Configurations of control planes that were seen to hold a revision, and all before it.
  CREATE TABLE kong_ingress.configurations (
    hash text PRIMARY KEY,
    revision bigint NOT NULL,
    seen_at timestamptz NOT NULL
  );
  `,
  `
  -- What the translation of a root says of the statuses of objects, its own included. "revision": the last one that
  -- wrote for what is said; null when nothing had to be written.
  CREATE TABLE kong_ingress.reports (
    root text NOT NULL,
    object text NOT NULL,
    content jsonb NOT NULL,
    revision bigint,
    PRIMARY KEY (root, object)
  );
  CREATE INDEX reports_object ON kong_ingress.reports (object);

  -- Objects with a status of ours. "version": another one whenever there is something new to say; "dirty": it has not
  -- been written since; "waiting": it changes when this revision is proven; "reported": hash of what was written last.
  CREATE SEQUENCE kong_ingress.status_versions;
  CREATE TABLE kong_ingress.statuses (
    object text PRIMARY KEY,
    version bigint NOT NULL,
    dirty boolean NOT NULL,
    waiting bigint,
    reported text
  );
  CREATE INDEX statuses_dirty ON kong_ingress.statuses (object) WHERE dirty;
  CREATE INDEX statuses_waiting ON kong_ingress.statuses (waiting) WHERE waiting IS NOT NULL;
  `,
  `
  -- The newest KongLicense wins: its class is a negative time, ms.
  ALTER TABLE kong_ingress.proposals ALTER COLUMN rank_class TYPE bigint;
  `,
  `
  -- Events that objects have, by name: how often what they say was said, and when the cluster was told last.
  CREATE TABLE kong_ingress.events (name text PRIMARY KEY, count integer NOT NULL, told_at timestamptz NOT NULL);
  CREATE INDEX events_told_at ON kong_ingress.events (told_at);
  `,
  `
  -- The last revision that wrote something for a root, and whether one wrote targets for roots that it did not translate.
  ALTER TABLE kong_ingress.roots ADD COLUMN revision bigint;
  ALTER TABLE kong_ingress.revisions ADD COLUMN shared boolean NOT NULL DEFAULT false;
  CREATE INDEX revisions_shared ON kong_ingress.revisions (id) WHERE shared;
  `,
  `
  -- When other traditional nodes were told what a revision made out of date.
  ALTER TABLE kong_ingress.revisions ADD COLUMN told_at timestamptz;
  `,
  `
  -- What the canary says since the last write of a revision; null: it was written without one. Epochs only ever grow,
  -- those of slices that died included, and a new index begins above those of one that was lost.
  ALTER TABLE kong_ingress.revisions ADD COLUMN canary_epoch bigint;
  CREATE SEQUENCE kong_ingress.canary_epochs;
  SELECT setval('kong_ingress.canary_epochs', (extract(epoch FROM clock_timestamp()) * 1000)::bigint);
  `,
];
