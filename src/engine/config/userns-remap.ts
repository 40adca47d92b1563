import { readFileSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { type IdMap, type IdRange, subordinateRanges } from "../../lib/users/id-map.ts";
import { type GroupEntry, type PasswdEntry, parseGroup, parsePasswd } from "../../lib/users/passwd.ts";
import { runCommand } from "../../system/process/process.ts";

/** The user that `default` stands for, as in Docker, whose ranges then serve both engines. */
const defaultUser = "dockremap";
const defaultCount = 65536;
/** where ranges of users begin that login tools gave none */
const firstRange = 100_000;

interface Names {
  user: PasswdEntry;
  group: GroupEntry;
}

/**
 * What `userns-remap` says: `default`, or `USER[:GROUP]` by name or number, whose subordinate ids (/etc/subuid,
 * /etc/subgid) containers get, from their 0 on. Undefined where root is to be root. `default` makes user and ranges that
 * are missing. Throws `invalid` in Docker's words.
 */
export async function readRemap(option: string, logger: Logger): Promise<IdMap | undefined> {
  if (option === "") return undefined;
  const isDefault = option === "default";
  if (isDefault) await makeDefaultUser();
  const names = lookUp(isDefault ? defaultUser : option);
  if (names.user.uid === 0) {
    logger.warn("User namespaces: root cannot be remapped with itself; user namespaces are OFF");
    return undefined;
  }
  refuseLogin(names.user);
  const map = {
    uids: rangesOf("/etc/subuid", names.user.name, [String(names.user.uid)]),
    gids: rangesOf("/etc/subgid", names.user.name, [String(names.user.uid), names.group.name]),
  };
  for (const ranges of [map.uids, map.gids])
    if (ranges.some(({ seen }) => seen === 0))
      throw invalid("userns-remap: the host's root is among the subordinate ids");
  logger.info(
    `User namespaces: ID ranges will be mapped to subuid/subgid ranges of: ${names.user.name}:${names.group.name}`,
  );
  return map;
}

const invalid = (sentence: string): EngineError => new EngineError("invalid", sentence);

function lookUp(option: string): Names {
  const [user = "", group, ...more] = option.split(":");
  if (more.length > 0 || user === "" || group === "")
    throw invalid(`Invalid user/group specification in --userns-remap: ${JSON.stringify(option)}`);
  const found = findUser(user);
  return { user: found, group: findGroup(group ?? (isNumber(user) ? user : found.name)) };
}

/**
 * Who may use subordinate ids by newuidmap(1) can become the containers' root, to whom the remapped data root shows all
 * files of the engine's as her own: it must be nobody who can log in. Names share ids.
 */
function refuseLogin({ uid }: PasswdEntry): void {
  const user = parsePasswd(readFileSync("/etc/passwd", "utf8")).find(
    (each) => each.uid === uid && !/\/(nologin|false)$/.test(each.shell),
  );
  if (user)
    throw invalid(
      `userns-remap: ${user.name} can log in (shell ${user.shell === "" ? "/bin/sh" : user.shell}) and could enter containers' user ids, and with them the engine's files; use "default" or a system user whose shell is nologin`,
    );
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);

function findUser(text: string): PasswdEntry {
  const all = parsePasswd(readFileSync("/etc/passwd", "utf8"));
  const found = isNumber(text)
    ? all.find(({ uid }) => uid === Number(text))
    : all.find(({ name }) => name === text);
  if (found) return found;
  throw invalid(
    isNumber(text)
      ? `Uid ${text} has no entry in /etc/passwd`
      : `Error during uid lookup for ${JSON.stringify(text)}: no such user`,
  );
}

function findGroup(text: string): GroupEntry {
  const all = parseGroup(readFileSync("/etc/group", "utf8"));
  const found = isNumber(text)
    ? all.find(({ gid }) => gid === Number(text))
    : all.find(({ name }) => name === text);
  if (found) return found;
  throw invalid(
    isNumber(text)
      ? `Gid ${text} has no entry in /etc/group`
      : `Error during gid lookup for ${JSON.stringify(text)}: no such group`,
  );
}

function rangesOf(file: string, user: string, others: readonly string[]): IdRange[] {
  const text = readSubordinate(file);
  const ranges = subordinateRanges(text, [user]);
  const found = ranges.length > 0 ? ranges : subordinateRanges(text, others);
  if (found.length > 0) return found;
  throw invalid(
    `Can't create ID mappings: no ${file.slice("/etc/".length)} ranges found for user ${JSON.stringify(user)} in ${file}`,
  );
}

function readSubordinate(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

async function makeDefaultUser(): Promise<void> {
  const known = parsePasswd(readFileSync("/etc/passwd", "utf8")).some(({ name }) => name === defaultUser);
  if (!known)
    await run([
      "useradd",
      "--system",
      "--user-group",
      "--no-create-home",
      "--shell",
      "/usr/sbin/nologin",
      defaultUser,
    ]);
  const missing = ["/etc/subuid", "/etc/subgid"].filter(
    (file) => subordinateRanges(readSubordinate(file), [defaultUser]).length === 0,
  );
  if (missing.length === 0) return;
  const first = freeRange();
  const range = `${first}-${first + defaultCount - 1}`;
  const flags = missing.map((file) => (file === "/etc/subuid" ? "--add-subuids" : "--add-subgids"));
  await run(["usermod", ...flags.flatMap((flag) => [flag, range]), defaultUser]);
}

/** After all that anybody has. */
function freeRange(): number {
  const ends = ["/etc/subuid", "/etc/subgid"].flatMap((file) =>
    readSubordinate(file)
      .split("\n")
      .map((line) => Number(line.split(":")[1]) + Number(line.split(":")[2]))
      .filter(Number.isFinite),
  );
  return Math.max(firstRange, ...ends);
}

async function run(argv: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runCommand(argv);
  if (exitCode !== 0)
    throw new EngineError(
      "internal",
      `Error during ${JSON.stringify(defaultUser)} user creation: ${stderr.trim()}`,
    );
}
