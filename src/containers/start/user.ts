import { EngineError } from "../../lib/errors.ts";
import {
  parseGroup,
  parsePasswd,
  type ResolvedUser,
  resolveUser,
  UserError,
} from "../../lib/users/passwd.ts";
import { readBeneath } from "../../system/files/beneath.ts";

const fileMax = 4 << 20;

/** `user[:group]` and extra groups against the container's own files. Throws `invalid` in Docker's words. */
export function userIn(root: string, spec: string, groupAdd: readonly string[]): ResolvedUser {
  const passwd = parsePasswd(readBeneath(root, "etc/passwd", fileMax) ?? "");
  const groups = parseGroup(readBeneath(root, "etc/group", fileMax) ?? "");
  try {
    return resolveUser(spec, groupAdd, passwd, groups);
  } catch (error) {
    if (error instanceof UserError) throw new EngineError("invalid", error.message);
    throw error;
  }
}
