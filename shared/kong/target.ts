import { isIPv6 } from 'node:net';

const DEFAULT_PORT = 8000;

/** `::1` → eight groups of four digits, as Kong writes them. */
function expandIPv6(address: string): string {
  const plain = address.toLowerCase().replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...parts: string[]) => {
    const [a = '0', b = '0', c = '0', d = '0'] = parts;
    return `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...middle, ...right].map((group) => group.padStart(4, '0')).join(':');
}

/** A target as Kong stores it: port 8000 unless given, IPv6 written out in brackets (DB §4.4). */
export function normalTarget(target: string): string {
  if (isIPv6(target)) return `[${expandIPv6(target)}]:${DEFAULT_PORT}`;
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(target);
  const inside = bracketed?.[1];
  if (inside !== undefined && isIPv6(inside)) return `[${expandIPv6(inside)}]:${bracketed?.[2] ?? DEFAULT_PORT}`;
  return /:\d+$/.test(target) ? target : `${target}:${DEFAULT_PORT}`;
}
