import type { ErrorNode, Errors } from './types.ts';

export function isErrorList(node: ErrorNode | undefined): node is readonly (ErrorNode | null)[] {
  return Array.isArray(node);
}

export function isErrors(node: ErrorNode | undefined): node is Errors {
  return typeof node === 'object' && !isErrorList(node);
}

/** Both, field by field; messages about the whole entity are put one after another. */
export function mergeErrors(errors: Errors, more: Errors): Errors {
  const merged: Record<string, ErrorNode> = { ...errors };
  for (const [name, node] of Object.entries(more)) {
    const before = merged[name];
    if (before === undefined) merged[name] = node;
    else if (isErrorList(before) && isErrorList(node)) merged[name] = [...before, ...node];
    else if (isErrors(before) && isErrors(node)) merged[name] = mergeErrors(before, node);
  }
  return merged;
}

/** The errors with a message about the entity as a whole. */
export function withEntityError(errors: Errors, message: string): Errors {
  return mergeErrors(errors, { '@entity': [message] });
}
