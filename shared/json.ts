/** A JSON object as it comes from outside, before anything is known about its fields. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object (not a list, not null). */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The parsed text, or undefined when it is not JSON (`undefined` itself is no JSON value). */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
