import type { Platform } from "../../../types/oci.ts";

/** What a build asks that changes what its Dockerfile means; one value for each target platform. */
export interface LanguageSettings {
  /** file name for places in warnings */
  dockerfile: string;
  /** stage to build; undefined = the last */
  target: string | undefined;
  buildArgs: ReadonlyMap<string, string>;
  targetPlatform: Platform;
  buildPlatform: Platform;
  /** more than one platform was asked for, or one by name that differs: step names carry it */
  namesPlatform: boolean;
  /** names of `--build-context` */
  namedContexts: readonly string[];
  /** `--label` */
  labels: ReadonlyMap<string, string>;
  /** read as Docker's classic builder reads it: ENV over ARG, ARGs of one stage alone, its sentences in the history */
  classic?: boolean;
  /** whether the ignore file keeps a path of the context from COPY and ADD */
  isIgnored?: (path: string) => boolean;
}
