import { EngineError } from "../../lib/errors.ts";
import {
  type GroupEntry,
  type PasswdEntry,
  parseGroup,
  parsePasswd,
  type ResolvedUser,
  resolveUser,
  UserError,
} from "../../lib/users/passwd.ts";
import { readBeneath } from "../../system/files/beneath.ts";
import type { Owner } from "../copy/target.ts";

const fileMax = 4 << 20;
const idMax = 2 ** 32 - 2;

const textOf = (root: string | undefined, path: string): string =>
  root === undefined ? "" : (readBeneath(root, path, fileMax) ?? "");
const usersIn = (root: string | undefined): PasswdEntry[] => parsePasswd(textOf(root, "etc/passwd"));
const groupsIn = (root: string | undefined): GroupEntry[] => parseGroup(textOf(root, "etc/group"));

/** Those whose ids a file can have: what is larger would be another number on the disk than in the layer. */
const isId = (id: number): boolean => id <= idMax;
const ownersIn = (root: string | undefined): PasswdEntry[] =>
  usersIn(root).filter(({ uid, gid }) => isId(uid) && isId(gid));
const owningGroupsIn = (root: string | undefined): GroupEntry[] =>
  groupsIn(root).filter(({ gid }) => isId(gid));

const number = (text: string): number | undefined =>
  /^\+?\d{1,10}$/.test(text) && Number(text) <= idMax ? Number(text) : undefined;

/** USER names whom the root does not know. */
export class UserFailure extends EngineError {}

/** `user[:group]` against the files of a root. Throws `invalid` in Docker's words. */
export function userIn(root: string, spec: string): ResolvedUser {
  try {
    return resolveUser(spec, [], usersIn(root), groupsIn(root));
  } catch (error) {
    if (error instanceof UserError) throw new UserFailure("invalid", error.message);
    throw error;
  }
}

/**
 * `--chown` as BuildKit takes it: a user alone gives the group of the same number, or of its entry, as do three parts. A name that the root
 * does not know is the superuser's, a group's name the user's own group.
 */
export function ownerIn(root: string | undefined, spec: string): Owner {
  if (spec === "") return { uid: 0, gid: 0 };
  const [user = "", second, ...more] = spec.split(":");
  const group = more.length === 0 ? second : undefined;
  const named = [user, group ?? ""].some((part) => part !== "" && number(part) === undefined);
  if (named && root === undefined) throw new EngineError("invalid", "invalid user index: -1");
  const entry =
    number(user) === undefined && user !== "" ? ownersIn(root).find(({ name }) => name === user) : undefined;
  const uid = number(user) ?? entry?.uid ?? 0;
  const own = entry?.gid ?? uid;
  if (group === undefined) return { uid, gid: own };
  if (group === "") return { uid, gid: 0 };
  return { uid, gid: number(group) ?? owningGroupsIn(root).find(({ name }) => name === group)?.gid ?? own };
}

/** `--chown` as the classic builder takes it: what the root does not know is an error. */
export function classicOwnerIn(root: string | undefined, spec: string): Owner {
  if (spec === "") return { uid: 0, gid: 0 };
  const refuse = (why: string): EngineError =>
    new EngineError("invalid", `unable to convert uid/gid chown string to host mapping: ${why}`);
  const [user = "", group = user, ...more] = spec.split(":");
  if (more.length > 0) throw refuse(`invalid chown string format: ${spec}`);
  const entry = ownersIn(root).find(({ name }) => name === user);
  const uid = entry?.uid ?? number(user);
  if (uid === undefined) throw refuse(`can't find uid for user ${user}: no such user: ${user}`);
  const gid = owningGroupsIn(root).find(({ name }) => name === group)?.gid ?? number(group);
  if (gid === undefined) throw refuse(`can't find gid for group ${group}: no such group: ${group}`);
  return { uid, gid };
}
