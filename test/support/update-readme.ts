import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { updateManifests } from './cluster-manifests.ts';
import { readme, refreshed } from './readme.ts';

// Makes the README's generated tables anew, and what of the cluster's manifests comes from the code; `git diff` then shows
// what changed.
writeFileSync(path.join(import.meta.dirname, '../../README.md'), refreshed(readme()));
updateManifests();
