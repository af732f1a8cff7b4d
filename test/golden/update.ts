import { writeFileSync } from 'node:fs';
import { goldenCases, renderCase } from './cases.ts';

// Rewrites every golden file; `git diff` then shows what changed, to be reviewed by eye.
for (const golden of goldenCases()) writeFileSync(golden.golden, await renderCase(golden));
