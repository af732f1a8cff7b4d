/** A benchmark: runs, prints what it measured and writes its own output file. */
type Bench = () => Promise<void>;

const BENCHES: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  translate: () => import('./translate.ts'),
  slice: () => import('./slice.ts'),
  admission: () => import('./admission.ts'),
};

/** Numbers are the benches' own arguments. */
const names = process.argv.slice(2).filter((argument) => !/^\d+$/.test(argument));
for (const name of names.length === 0 ? Object.keys(BENCHES) : names) {
  const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  if (load === undefined) throw new Error(`unknown bench ${name}, there are ${Object.keys(BENCHES).join(', ')}`);
  const { bench } = await load();
  await bench();
}
