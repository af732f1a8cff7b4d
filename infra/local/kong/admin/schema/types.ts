import type { Json, JsonObject } from '../json.ts';

/** Kong's schema language, with Kong's attribute names, so that `GET /schemas/…` is the description itself. */

export type FieldType =
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'array'
  | 'set'
  | 'map'
  | 'record'
  | 'foreign'
  | 'json';

/** A Lua pattern with the message that Kong gives when it decides against a value. */
export interface Pattern {
  readonly pattern: string;
  readonly err: string;
}

/** Attributes that restrict a value. */
export interface Validators {
  readonly required?: boolean;
  readonly eq?: Json;
  readonly gt?: number;
  readonly between?: readonly [number, number];
  readonly len_min?: number;
  readonly len_eq?: number;
  readonly one_of?: readonly Json[];
  readonly not_one_of?: readonly Json[];
  readonly starts_with?: string;
  readonly contains?: Json;
  readonly uuid?: boolean;
  readonly timestamp?: boolean;
  readonly is_regex?: boolean;
  readonly match?: string;
  readonly match_all?: readonly Pattern[];
  readonly match_none?: readonly Pattern[];
  readonly match_any?: { readonly patterns: readonly string[]; readonly err?: string };
  readonly mutually_exclusive_subsets?: readonly (readonly string[])[];
  /** Kong's message instead of the validator's own. */
  readonly err?: string;
}

export interface Field extends Validators {
  readonly type: FieldType;
  readonly default?: Json;
  /** Kong makes the value when none is sent: ids, times, keys and secrets. */
  readonly auto?: boolean;
  readonly unique?: boolean;
  readonly unique_across_ws?: boolean;
  readonly reference?: string;
  readonly on_delete?: 'cascade';
  readonly elements?: Field;
  readonly keys?: Field;
  readonly values?: Field;
  readonly fields?: Fields;
  readonly entity_checks?: readonly EntityCheck[];
  readonly shorthand_fields?: Shorthands;
  readonly abstract?: boolean;
  readonly transient?: boolean;
  readonly referenceable?: boolean;
  readonly encrypted?: boolean;
  readonly deprecation?: JsonObject;
  /** Kong's own function for a text field: the message when the value is wrong. */
  readonly custom?: (value: string) => string | undefined;
}

/** In Kong's order. */
export type Fields = Readonly<Record<string, Field>>;

/** An alias that is rewritten to other fields. */
export interface Shorthand {
  readonly field: Field;
  /** What the alias stands for; fields that are set already win. */
  readonly expand: (value: Json) => JsonObject;
  /** Where its value is, when Kong also shows the alias in answers. */
  readonly replaced_with?: readonly string[];
}

export type Shorthands = Readonly<Record<string, Shorthand>>;

/** Restrictions tried on a field's value inside a check. */
export interface Match extends Validators {
  readonly elements?: Validators;
}

export interface Conditional {
  readonly if_field: string;
  readonly if_match: Match;
  readonly then_field: string;
  readonly then_match: Match;
  readonly then_err?: string;
}

/** A rule about several fields. Names are paths with dots. */
export type EntityCheck =
  | { readonly at_least_one_of: readonly string[] }
  | { readonly only_one_of: readonly string[] }
  | { readonly mutually_required: readonly string[] }
  | { readonly mutually_exclusive: readonly string[] }
  | { readonly distinct: readonly string[] }
  | { readonly conditional: Conditional }
  | {
      readonly custom_entity_check: { readonly field_sources: readonly string[] };
      /** Kong's own function for this check: messages by field, `@entity` for the whole. */
      readonly custom: (data: JsonObject) => Errors | undefined;
      /** True for what Kong checks without saying so in its schema. */
      readonly hidden?: true;
    };

export interface RecordSchema {
  readonly fields: Fields;
  readonly entity_checks: readonly EntityCheck[];
  readonly shorthand_fields?: Shorthands;
}

/** Messages by field, nested like the data; lists keep the places of their elements. */
export type Errors = { readonly [field: string]: ErrorNode };
export type ErrorNode = string | Errors | readonly (ErrorNode | null)[];
