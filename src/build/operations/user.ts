import { EngineError } from "../../lib/errors.ts";
import { parseGroup, parsePasswd, type ResolvedUser, resolveUser, UserError } from "../../lib/passwd.ts";
import { readBeneath } from "../../system/beneath.ts";

const fileMax = 4 << 20;

/** `user[:group]` against the files of a root. Throws `invalid` in Docker's words. */
export function userIn(root: string, spec: string): ResolvedUser {
  const passwd = parsePasswd(readBeneath(root, "etc/passwd", fileMax) ?? "");
  const groups = parseGroup(readBeneath(root, "etc/group", fileMax) ?? "");
  try {
    return resolveUser(spec, [], passwd, groups);
  } catch (error) {
    if (error instanceof UserError) throw new EngineError("invalid", error.message);
    throw error;
  }
}

/** `--chown`: a user alone gives the group of the same number. */
export function ownerIn(root: string | undefined, spec: string): { uid: number; gid: number } {
  if (spec === "") return { uid: 0, gid: 0 };
  const [user = "", group] = spec.split(":", 2);
  const numbers = /^\d+$/.test(user) && (group === undefined || /^\d+$/.test(group));
  if (numbers) return { uid: Number(user), gid: Number(group ?? user) };
  if (root === undefined)
    throw new EngineError(
      "invalid",
      `unable to convert uid/gid chown string to host mapping: can't find uid for user ${user}: no passwd file`,
    );
  const { uid, gid } = userIn(root, spec);
  return { uid, gid };
}
