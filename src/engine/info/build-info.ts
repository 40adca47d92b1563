import { statSync } from "node:fs";

/** Set by the build; from source they are missing. */
declare const BERTH_VERSION: string | undefined;
declare const BERTH_COMMIT: string | undefined;
declare const BERTH_BUILD: string | undefined;

export const berthVersion = typeof BERTH_VERSION === "string" ? BERTH_VERSION : "0.1.0";
export const gitCommit = typeof BERTH_COMMIT === "string" ? BERTH_COMMIT : "source";

/** Tells one build from every other; "" from source. Client and engine of one build have the same code. */
export const buildId = typeof BERTH_BUILD === "string" ? BERTH_BUILD : "";

/**
 * The version clients see: that of the Docker engine whose behaviour this one has, since scripts compare it, and our own
 * behind a plus, which comparisons ignore.
 */
const dockerVersion = "28.5.2";
export const serverVersion = `${dockerVersion}+berth.${berthVersion}`;

/** When the executable was made. */
export const buildTime = (): string => statSync(process.execPath).mtime.toISOString();
