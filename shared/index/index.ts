export { affected, type Affected, type ChangedObject, type Intent } from './affected.ts';
export { claim, type Claimed } from './claim.ts';
export {
  commit,
  type Clock,
  type Committed,
  type Memory,
  type Pending,
  type Rejected,
  type RootRecord,
} from './commit.ts';
export { metered, type Database, type Meter, type Queryable } from './database.ts';
export { upstreamsOf, type SharedTargets, type SharedUpstream } from './endpoints.ts';
export { intend } from './intents.ts';
export { dependents, load, type Loaded, type Quarantine } from './load.ts';
export { acquire, type Lock } from './lock.ts';
export { migrate } from './migrate.ts';
export { indexPool, indexSchema, samePool, type IndexPool } from './schema.ts';
