import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { readme, refreshed } from './readme.ts';

// Makes the README's generated tables anew; `git diff` then shows what changed.
writeFileSync(path.join(import.meta.dirname, '../../README.md'), refreshed(readme()));
