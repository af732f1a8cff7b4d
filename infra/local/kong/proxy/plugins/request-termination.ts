import { errorReply } from '../exchange.ts';
import { first } from '../headers.ts';
import { number, text } from '../rows.ts';
import type { PluginHandler } from './handler.ts';

const MESSAGES: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  404: 'Not found',
  405: 'Method not allowed',
  500: 'An unexpected error occurred',
  502: 'Bad Gateway',
  503: 'Service unavailable',
};

/** Answers every request, or those with the trigger header or query argument, with a fixed response. */
export const requestTermination: PluginHandler = {
  priority: 2,
  access(config, { id, request }) {
    const trigger = text(config, 'trigger');
    const triggered =
      trigger === undefined ||
      first(request.headers, trigger.toLowerCase()) !== undefined ||
      new URLSearchParams(request.query ?? '').has(trigger);
    if (!triggered) return undefined;
    const status = number(config, 'status_code') ?? 503;
    const body = text(config, 'body');
    if (body !== undefined) {
      return {
        status,
        headers: { 'content-type': text(config, 'content_type') ?? 'application/json; charset=utf-8' },
        body,
      };
    }
    const message = text(config, 'message') ?? MESSAGES[status];
    if (message === undefined) return { status, headers: {}, body: '' };
    return errorReply(status, message, id);
  },
};
