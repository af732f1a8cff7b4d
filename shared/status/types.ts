import type { ParentRef } from '../kubernetes/gateway-resources.ts';
import type { Key } from '../kubernetes/keys.ts';

/** A condition of meta/v1 without what only the moment of writing knows. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** Why an object, or a part of it, cannot be programmed. */
export interface Failure {
  /** The finding's reason. */
  readonly reason: string;
  readonly message: string;
}

/** A parent or ancestor as the route or policy names it. */
export type Reference = ParentRef;

/** What a route is to one of its parents. */
export interface RouteParent {
  readonly ref: Reference;
  /** All but Programmed. */
  readonly conditions: readonly Condition[];
  readonly accepted: boolean;
}

export interface RouteKind {
  readonly group: string;
  readonly kind: string;
}

export interface ListenerFacts {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  readonly supportedKinds: readonly RouteKind[];
  /** All but Programmed. */
  readonly conditions: readonly Condition[];
}

/** Which state of an object something is said of. */
export interface About {
  /** An object of the same name that comes later is another one; `''` where nobody has read it. */
  readonly uid: string;
  /** `metadata.generation`; 0 where nobody has read it. */
  readonly generation: number;
}

/**
 * What the translation of one root says of the status of one object. The index keeps it, so that a status can be made
 * whole, and made again when a revision converged, without translating anything. Never holds secret text.
 */
export type Content =
  /** An object whose status says no more than whether Kong has it. */
  | (About & { readonly family: 'programmed'; readonly failure?: Failure })
  /** An object that shows the addresses at which it is served, whatever its generation. */
  | (Pick<About, 'uid'> & { readonly family: 'addressed'; readonly failure?: Failure })
  | (About & { readonly family: 'route'; readonly parents: readonly RouteParent[]; readonly failure?: Failure })
  | (About & {
      readonly family: 'gateway';
      readonly listeners: readonly ListenerFacts[];
      /** `namespace/name` of the Services before Kong that the Gateway itself names. */
      readonly publishServices: readonly string[];
      /** Nothing of it has to be in Kong. */
      readonly empty: boolean;
    })
  /** A route's say on a Gateway: the listeners that it is attached to. */
  | { readonly family: 'attached'; readonly listeners: readonly string[] }
  | (About & { readonly family: 'class'; readonly features: readonly string[] })
  /** A root's say on a policy: what it is to those that it applies to. */
  | (About & {
      readonly family: 'ancestors';
      readonly ancestors: readonly Entry[];
      /** The status says whether Kong has it too. */
      readonly programmed: boolean;
    })
  | (About & { readonly family: 'license'; readonly elected: boolean; readonly failure?: Failure });

/** What a root says of an object. */
export interface StatusReport {
  readonly object: Key;
  readonly content: Content;
}

/** A report of other roots that say the same. */
export interface Say {
  readonly content: Content;
  /** How many roots say so. */
  readonly count: number;
}

/** Whether data planes are proven to run what was written last for an object. */
export type Progress =
  /** `adopted`: nothing has been written for it, as far as is known; then what its status says already may stay. */
  | { readonly state: 'pending'; readonly adopted: boolean }
  /** `proof` says how that is known, for people. */
  | { readonly state: 'proven'; readonly proof: string };

/** An entry of a list in a status that several controllers share, each under its name. */
export interface Entry {
  readonly ref: Reference;
  readonly conditions: readonly Condition[];
}

export interface ListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly RouteKind[];
  readonly attachedRoutes: number;
  readonly conditions: readonly Condition[];
}

export interface Address {
  readonly ip?: string;
  readonly hostname?: string;
}

/** A status as it has to be. What is undefined is none of our business. */
export interface DesiredStatus {
  /** The object that all of this was found out about. */
  readonly uid?: string;
  readonly generation?: number;
  /** A Programmed that is true already for this generation stays: nothing has been written for it since. */
  readonly keepsProgrammed?: boolean;
  /** At the status' top. */
  readonly conditions?: readonly Condition[];
  /** All entries of ours, and the field that they are in. */
  readonly entries?: {
    readonly field: 'parents' | 'ancestors' | 'controllers';
    readonly items: readonly Entry[];
    /** Most entries that the field takes, those of others included. */
    readonly limit: number;
  };
  readonly listeners?: readonly ListenerStatus[];
  /** Of a Gateway. */
  readonly addresses?: readonly Address[];
  /** Of an Ingress. */
  readonly loadBalancer?: readonly Address[];
  readonly supportedFeatures?: readonly string[];
}
