/** Types, lint and format, import ranks, unit tests: what a change must pass before anything needs root. */
import { report, runChecks } from "./lib/suite.ts";

process.exitCode = report(await runChecks());
