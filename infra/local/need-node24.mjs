// Runs on any Node.js: says what is wrong where npm could not put Node 24 on the scripts' path.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `NODE_TOO_OLD: this project's scripts need Node 24, but this is ${process.version}. ` +
      'npm links Node 24 from the "node" dev dependency; run "npm ci" again without --ignore-scripts.',
  );
  process.exit(1);
}
