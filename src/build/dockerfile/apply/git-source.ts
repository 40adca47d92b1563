import { EngineError } from "../../../lib/errors.ts";

/** A git repository as ADD and contexts name it: `https://host/a.git#ref:folder`, `git@host:a.git?tag=v1`. */
export interface GitSource {
  /** without query and fragment, as git takes it */
  remote: string;
  /** branch, tag or commit; "" = the remote's default */
  ref: string;
  subdir: string;
  keepGitDir: boolean;
  submodules: boolean;
  /** the commit that `ref` must be */
  checksum: string;
}

interface ParsedGit extends Omit<GitSource, "keepGitDir"> {
  keepGitDir: boolean | undefined;
}

const invalid = (message: string): EngineError => new EngineError("invalid", message);

/** Undefined for what is no git address: a path, or a URL that does not end in `.git`. */
export function parseGit(text: string): ParsedGit | undefined {
  if (text.startsWith("./") || text.startsWith("../")) return undefined;
  const [, remote = "", query, fragment = ""] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text) ?? [];
  if (!isGitRemote(remote)) return undefined;
  const colon = fragment.indexOf(":");
  const git: ParsedGit = {
    remote,
    ref: colon < 0 ? fragment : fragment.slice(0, colon),
    subdir: colon < 0 ? "" : fragment.slice(colon + 1),
    keepGitDir: undefined,
    submodules: true,
    checksum: "",
  };
  return query === undefined ? git : withQuery(git, new URLSearchParams(query));
}

function isGitRemote(remote: string): boolean {
  const scheme = /^([a-zA-Z0-9]+):\/\//.exec(remote)?.[1]?.toLowerCase();
  if (scheme === "http" || scheme === "https") return /^[^/]*\/\/[^/]+\/.*\.git$/.test(remote);
  if (scheme !== undefined) return scheme === "git" || scheme === "ssh";
  return /^[a-zA-Z0-9._-]+@[a-zA-Z0-9.-]+:(?!\/\/).+$/.test(remote);
}

function withQuery(git: ParsedGit, query: URLSearchParams): ParsedGit {
  const result = { ...git };
  let tag = "";
  let branch = "";
  for (const key of new Set(query.keys())) {
    const [value = "", ...more] = query.getAll(key);
    const isFlag = key === "submodules" || key === "keep-git-dir";
    if (more.length > 0) throw invalid(`query ${JSON.stringify(key)} has multiple values`);
    if (value === "" && !isFlag) throw invalid(`query ${JSON.stringify(key)} has no value`);
    if (key === "ref") result.ref = agreed("ref", result.ref, value);
    else if (key === "tag") tag = prefixed("refs/tags/", value);
    else if (key === "branch") branch = prefixed("refs/heads/", value);
    else if (key === "subdir") result.subdir = agreed("subdir", result.subdir, value);
    else if (key === "checksum" || key === "commit") result.checksum = value;
    else if (key === "keep-git-dir") result.keepGitDir = truth(key, value);
    else if (key === "submodules") result.submodules = truth(key, value);
    else throw invalid(`unexpected query ${JSON.stringify(key)}`);
  }
  if (tag !== "" && branch !== "") throw invalid("branch conflicts with tag");
  const named = tag || branch;
  if (named !== "") result.ref = agreed("ref", result.ref, named);
  return result;
}

const prefixed = (prefix: string, name: string): string => (name.startsWith(prefix) ? name : prefix + name);

function agreed(what: string, one: string, other: string): string {
  if (one === "" || one === other) return other;
  throw invalid(`${what} conflicts: ${JSON.stringify(one)} vs ${JSON.stringify(other)}`);
}

function truth(key: string, value: string): boolean {
  if (["", "1", "t", "T", "TRUE", "true", "True"].includes(value)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(value)) return false;
  throw invalid(`invalid ${key} value: ${JSON.stringify(value)}`);
}
