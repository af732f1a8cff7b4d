import type { Key } from '../kubernetes/keys.ts';
import type { ObjectRef } from '../kubernetes/resources.ts';
import type { Body, EntityType } from '../kong/entities.ts';

/**
 * What Kong holds unique, or what is elected or merged, as `<type>/<unique key>`: `services/default.echo.80`,
 * `targets/echo.default.80.svc|10.0.0.1:8080`, `snis/example.com`, `routes/@default-backend`,
 * `certificates/<SHA-256 of certificate and key text>`.
 */
export type Slot = string;

/** Orders the proposals for one slot: the smallest wins, compared by class, then createdAt, then name. */
export interface Rank {
  /** An order that KIC has before age, for instance a rule's service (0) before a default backend's (1). */
  readonly class: number;
  /** creationTimestamp (RFC 3339) of the object that decides; `''` sorts first. */
  readonly createdAt: string;
  /** `namespace/name`, or for certificates the Secret's UID. */
  readonly name: string;
}

/** A reference to another proposal. */
export interface SlotRef {
  readonly slot: Slot;
  /** True: this proposal is useless with another root's version of the slot and is withheld unless the winner's body equals its own root's. */
  readonly own?: true;
}

/** How a backend names the Service's port. */
export type PortRef =
  | { readonly by: 'number'; readonly number: number }
  | { readonly by: 'name'; readonly name: string }
  | { readonly by: 'implicit' };

/** A Service behind a Kong service, as its root names it. */
export interface PlainBackend {
  readonly namespace: string;
  readonly name: string;
  readonly port: PortRef;
  /** Gateway API's weight; absent where the kind has none. */
  readonly weight?: number;
}

/** An entity that a root wants, before references are resolved. */
export interface Proposal {
  readonly slot: Slot;
  readonly type: EntityType;
  readonly id: string;
  /** Fields without `id`, `tags` and the references in `refs`. */
  readonly body: Body;
  /** KIC's tags (§2.1.5) without the filter tags, which `resolve` adds. */
  readonly tags: readonly string[];
  /** Body field → the slot whose winner's id belongs there. */
  readonly refs: Readonly<Record<string, SlotRef>>;
  readonly root: ObjectRef;
  readonly rank: Rank;
  /** Counts only while this root wins that slot (what hangs under an elected route goes with it); withheld without a finding otherwise. */
  readonly gate?: Slot;
  /** Losing its slot is as intended and no finding (a default backend's service gives way to a rule's). */
  readonly quiet?: true;
  /** Of an upstream: the backends that its targets are made of, so that they can be made anew without the root. */
  readonly backends?: readonly PlainBackend[];
  /** Another root's equal body is not the same thing (two KongConsumers of one username): the slot is lost, not shared. */
  readonly exclusive?: true;
}

/** Something that is not translated as written, or not written to Kong, and why. Never contains secret text. */
export interface Finding {
  readonly object: ObjectRef;
  readonly severity: 'warning' | 'error';
  /** Stable CamelCase code; the table is `shared/findings.ts`. */
  readonly reason: string;
  /** Names the object, the field and what to do. */
  readonly message: string;
}

/** What translating one root gave. */
export interface Translation {
  readonly root: ObjectRef;
  readonly proposals: readonly Proposal[];
  readonly findings: readonly Finding[];
  /** Every key the translation looked up, misses included, and the root's own key. */
  readonly sources: readonly Key[];
}

/** The settings that translation depends on; everything else comes from the lookup. */
export interface TranslateOptions {
  readonly cluster: string;
  /** KIC `--ingress-class`. */
  readonly ingressClass: string;
  /** The controller whose GatewayClasses are ours (KIC `--gateway-api-controller-name`). */
  readonly gatewayController: string;
  readonly routerFlavor: 'traditional' | 'expressions';
  /** KIC `--kong-workspace`: prefix of the id keys when not empty. */
  readonly workspace: string;
  /** KIC `--cluster-domain`: suffix of service-upstream targets, `''` for none. */
  readonly clusterDomain: string;
  /** KIC `--enable-drain-support`. */
  readonly drainSupport: boolean;
  /** KIC feature gates by name. */
  readonly featureGates: Readonly<Record<string, boolean>>;
  /** `3.9.3`; decides which entities and plugins Kong knows. */
  readonly kongVersion: string;
  readonly kongEdition: 'community' | 'enterprise';
  /** Input without API-server defaults: classes and parents that are missing count as ours. */
  readonly raw: boolean;
}
