// Reads what `npm audit --omit=dev --json` says and fails for findings. A registry that does not answer, or has no such service, is no
// reason to fail: who installs behind a mirror or offline could never build.
import { readFileSync } from 'node:fs';

const text = readFileSync(0, 'utf8');
const report = text.trim() === '' ? {} : JSON.parse(text);
const found = Object.values(report.vulnerabilities ?? {});
if (report.metadata === undefined) process.stdout.write('no answer: what is shipped was not looked up\n');
for (const { name, severity, range } of found) process.stdout.write(`${severity}: ${name} ${range}\n`);
process.exit(found.length > 0 ? 1 : 0);
