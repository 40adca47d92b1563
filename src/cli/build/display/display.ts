import type { LocalBuildMessage } from "../../../types/local-build.ts";

/** Shows a build while it runs. `take` and `refresh` may come in any order, `end` once. */
export interface Display {
  take(message: LocalBuildMessage): void;
  /** called ten times a second at most */
  refresh(): void;
  end(): void;
}

export const quietDisplay: Display = {
  take: () => undefined,
  refresh: () => undefined,
  end: () => undefined,
};
