import { isRecord } from '../json.ts';
import type { EntityType } from './entities.ts';
import { text } from './json.ts';
import { rejection } from './rejection.ts';

/** What Kong's schema has against a body. */
export interface Violation {
  /** Kong's own words, one line. They may repeat values of the body: only for whoever wrote these. */
  readonly message: string;
  /** The same without any value: the names of the fields. */
  readonly fields: string;
}

const LONGEST_MESSAGE = 300;

/** Reads Kong's answer to a body that its schema does not take. A type that this Kong does not have is a 404. */
export function violation(type: EntityType, status: number, data: unknown): Violation {
  if (status === 404) {
    const message = `this Kong has no ${type}`;
    return { message, fields: message };
  }
  const body = isRecord(data) ? data : {};
  const { name, fields } = rejection(type, status, data);
  const named = fields.length === 0 ? name : `${name} (${fields.join(', ')})`;
  return {
    message: (text(body.message) ?? named).slice(0, LONGEST_MESSAGE),
    fields: named,
  };
}
