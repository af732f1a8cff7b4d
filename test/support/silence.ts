/** Imported before a function, keeps its log lines out of the tests' output. */
process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
