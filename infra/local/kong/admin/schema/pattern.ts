/** Lua patterns, as far as Kong's schemas use them, as regular expressions. */

const CLASSES: Readonly<Record<string, string>> = {
  u: 'A-Z',
  l: 'a-z',
  a: 'A-Za-z',
  d: '0-9',
  w: 'A-Za-z0-9',
  s: '\\s',
};
const SPECIAL = /[\\^$.|?*+()[\]{}/]/;

const cache = new Map<string, RegExp>();

/** The expression for a Lua pattern; the same object for the same pattern. */
export function luaPattern(pattern: string): RegExp {
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  const made = new RegExp(translate(pattern), 's');
  cache.set(pattern, made);
  return made;
}

function translate(pattern: string): string {
  let out = '';
  let inSet = false;
  // In Lua a minus after one item is the lazy form of `*`; anywhere else it is itself.
  let afterItem = false;
  for (let i = 0; i < pattern.length; i += 1) {
    const char = pattern.charAt(i);
    if (char === '%') {
      i += 1;
      out += escaped(pattern.charAt(i), inSet);
      afterItem = !inSet;
    } else if (inSet) {
      out += char === '\\' ? '\\\\' : char;
      inSet = char !== ']';
      afterItem = !inSet;
    } else if (char === '[') {
      out += char;
      inSet = true;
    } else if (char === '-') {
      out += afterItem ? '*?' : '-';
      afterItem = false;
    } else {
      out += char === '/' || char === '{' || char === '}' || char === '|' || char === '\\' ? `\\${char}` : char;
      afterItem = !'^$*+?()'.includes(char);
    }
  }
  return out;
}

function escaped(char: string, inSet: boolean): string {
  const set = CLASSES[char];
  if (set !== undefined) return inSet ? set : `[${set}]`;
  return SPECIAL.test(char) || char === '-' ? `\\${char}` : char;
}
