import { familiar, parseRepoTag } from "../../../lib/image/reference.ts";

/** `repo` and `tag` as one familiar reference; undefined where no repository is named. */
export const joinReference = (repo: string, tag: string): string | undefined =>
  repo === "" ? undefined : familiar(parseRepoTag(repo, tag));
