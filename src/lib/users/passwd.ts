/** `/etc/passwd` and `/etc/group` of an image: text in, entries out. Lines that do not fit are passed over. */
export interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
  home: string;
  /** as the file has it; "" stands for /bin/sh */
  shell: string;
}

export interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

const idMax = 2 ** 31 - 1;
const number = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;

export function parsePasswd(text: string): PasswdEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , uid, gid, , home = "", shell = ""] = line.split(":");
    const uidNumber = number(uid);
    if (name === "" || name.startsWith("#") || uidNumber === undefined) return [];
    // as Docker reads it: a group that is no number is the first one
    return [{ name, uid: uidNumber, gid: number(gid) ?? 0, home, shell }];
  });
}

export function parseGroup(text: string): GroupEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , gid, members = ""] = line.split(":");
    const gidNumber = number(gid);
    if (name === "" || name.startsWith("#") || gidNumber === undefined) return [];
    return [{ name, gid: gidNumber, members: members.split(",").filter((member) => member !== "") }];
  });
}

export interface ResolvedUser {
  uid: number;
  gid: number;
  additionalGids: number[];
  home: string;
}

/** What cannot be resolved, in Docker's words. */
export class UserError extends Error {}

function checkRange(id: number): number {
  if (id < 0 || id > idMax) throw new UserError(`uids and gids must be in range 0-${idMax}`);
  return id;
}

const asNumber = (text: string): number | undefined => (/^[+-]?\d+$/.test(text) ? Number(text) : undefined);

/**
 * `user[:group]`, each a name or a number, and extra groups, against an image's files. A number needs no entry; a user
 * without a group gets the one of its entry, else 0. Supplementary groups are those that list the user, unless a group
 * was named.
 */
export function resolveUser(
  spec: string,
  groupAdd: readonly string[],
  passwd: readonly PasswdEntry[],
  groups: readonly GroupEntry[],
): ResolvedUser {
  const colon = spec.indexOf(":");
  const user = colon < 0 ? spec : spec.slice(0, colon);
  const group = colon < 0 ? "" : spec.slice(colon + 1);
  const userNumber = user === "" ? 0 : asNumber(user);
  const entry =
    passwd.find((one) => one.name === user) ??
    (userNumber === undefined ? undefined : passwd.find((one) => one.uid === userNumber));
  if (!entry && userNumber === undefined)
    throw new UserError(`unable to find user ${user}: no matching entries in passwd file`);
  const uid = checkRange(entry?.uid ?? userNumber ?? 0);
  const gid = checkRange(group === "" ? (entry?.gid ?? 0) : groupId(group, groups));
  const listed = group === "" && entry ? groups.filter((one) => one.members.includes(entry.name)) : [];
  const added = groupAdd.map((name) => checkRange(groupId(name, groups)));
  return {
    uid,
    gid,
    additionalGids: [...new Set([...listed.map((one) => one.gid), ...added])],
    home: entry?.home || "/",
  };
}

function groupId(name: string, groups: readonly GroupEntry[]): number {
  const found = groups.find((one) => one.name === name)?.gid ?? asNumber(name);
  if (found === undefined)
    throw new UserError(`unable to find group ${name}: no matching entries in group file`);
  return found;
}
