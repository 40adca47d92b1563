import {
  close,
  ENOENT,
  ENOTDIR,
  fileType,
  flags,
  listNames,
  openWithinRaw,
  resolve,
  statFd,
  toBytes,
} from "../../../system/files/at.ts";
import { readBeneath } from "../../../system/files/beneath.ts";
import { openTree } from "../match.ts";

/** A package that a package manager's records name. */
export interface FoundPackage {
  type: "deb" | "apk" | "npm" | "pypi";
  name: string;
  version: string;
  /** https://github.com/package-url/purl-spec */
  purl: string;
  /** an SPDX expression, or "" where the record tells none */
  license: string;
  /** the record */
  source: string;
}

const recordMax = 32 * 1024 * 1024;
const metadataMax = 1024 * 1024;
/** of a METADATA, whose fields come first */
const descriptionMax = 256 * 1024;
/** of all records together */
const bytesMax = 64 * 1024 * 1024;
const packagesMax = 100_000;
/** characters of all that is found */
const foundMax = 32 * 1024 * 1024;
/** characters of a name, a version, a license: what is longer is none */
const textMax = 1024;

export interface FoundPackages {
  packages: FoundPackage[];
  /** limits that were met, as ends of a sentence: what lies beyond them is not among the packages */
  limits: string[];
}

/** The packages in a root file system, by what dpkg, apk, npm and pip have written down. For a worker thread. */
export function findPackages(root: string): FoundPackages {
  const distinct = new Map<string, FoundPackage>();
  const records = new Records(root);
  let length = 0;
  for (const each of recorded(records)) {
    if (distinct.has(each.purl)) continue;
    if (distinct.size >= packagesMax) {
      records.met(`there are more than ${packagesMax} packages`);
      break;
    }
    length += each.purl.length + each.name.length + each.version.length + each.license.length;
    length += each.source.length;
    if (length > foundMax) {
      records.met(`the packages' names take more than ${foundMax >> 20} MiB`);
      break;
    }
    distinct.set(each.purl, each);
  }
  const packages = [...distinct.values()].sort((one, other) => (one.purl < other.purl ? -1 : 1));
  return { packages, limits: [...records.limits] };
}

function* recorded(records: Records): Generator<FoundPackage> {
  const distribution = distributionOf(records);
  yield* dpkg(records, distribution);
  yield* apk(records, distribution);
  yield* installed(records);
}

/** The records in a root file system, no more than `bytesMax` of them: an image may bring any number, of any size. */
class Records {
  readonly root: string;
  readonly limits = new Set<string>();
  private left = bytesMax;

  constructor(root: string) {
    this.root = root;
  }

  met(limit: string): void {
    this.limits.add(limit);
  }

  /** A record without the paragraph at which it was cut; "" where there is none. */
  text(path: string, most: number): string {
    const limit = Math.min(most, this.left);
    if (limit === 0) return "";
    const text = readBeneath(this.root, path, limit) ?? "";
    const length = Buffer.byteLength(text);
    this.left = Math.max(0, this.left - length);
    if (this.left === 0) this.met(`the records take more than ${bytesMax >> 20} MiB`);
    // of a METADATA only the head is wanted
    else if (length >= limit && most !== descriptionMax)
      this.met(`/${path} takes more than ${most >> 20} MiB`);
    return length < limit ? text : text.slice(0, Math.max(0, text.lastIndexOf("\n\n")));
  }
}

interface Distribution {
  id: string;
  /** "debian-12" */
  release: string;
}

function distributionOf(records: Records): Distribution {
  const text = records.text("etc/os-release", metadataMax) || records.text("usr/lib/os-release", metadataMax);
  const value = (name: string): string => fieldOf(text, new RegExp(`^${name}="?([^"\\n]*)"?$`, "m"));
  const id = value("ID");
  const version = value("VERSION_ID");
  return { id, release: version === "" ? id : `${id}-${version}` };
}

function* paragraphs(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const blank = text.indexOf("\n\n", at);
    const end = blank < 0 ? text.length : blank;
    if (end > at) yield text.slice(at, end);
    at = end + 2;
  }
}

/** What a field's pattern finds in a paragraph of fields; "" where there is none. */
function fieldOf(paragraph: string, field: RegExp): string {
  const value = field.exec(paragraph)?.[1] ?? "";
  return value.length > textMax ? "" : value;
}

const dpkgFields = {
  name: /^Package: ?(.*)$/m,
  version: /^Version: ?(.*)$/m,
  status: /^Status: ?(.*)$/m,
  arch: /^Architecture: ?(.*)$/m,
};
const statusFilesMax = 10_000;

function* dpkg(records: Records, { id, release }: Distribution): Generator<FoundPackage> {
  const folder = "var/lib/dpkg/status.d";
  const all = namesIn(records.root, folder);
  const names = all.slice(0, statusFilesMax);
  if (all.length > names.length) records.met(`/${folder} has more than ${statusFilesMax} files`);
  for (const file of ["var/lib/dpkg/status", ...names.map((name) => `${folder}/${name}`)]) {
    for (const paragraph of paragraphs(records.text(file, recordMax))) {
      const name = fieldOf(paragraph, dpkgFields.name);
      const version = fieldOf(paragraph, dpkgFields.version);
      const status = fieldOf(paragraph, dpkgFields.status) || "install ok installed";
      if (name === "" || version === "" || !status.endsWith(" installed")) continue;
      const query = queryOf({ arch: fieldOf(paragraph, dpkgFields.arch), distro: release });
      const purl = `pkg:deb/${id || "debian"}/${encode(name)}@${encode(version)}${query}`;
      yield { type: "deb", name, version, purl, license: "", source: `/${file}` };
    }
  }
}

const apkFields = { name: /^P:(.*)$/m, version: /^V:(.*)$/m, arch: /^A:(.*)$/m, license: /^L:(.*)$/m };

function* apk(records: Records, { id, release }: Distribution): Generator<FoundPackage> {
  for (const file of ["lib/apk/db/installed", "usr/lib/apk/db/installed"])
    for (const paragraph of paragraphs(records.text(file, recordMax))) {
      const name = fieldOf(paragraph, apkFields.name);
      const version = fieldOf(paragraph, apkFields.version);
      if (name === "" || version === "") continue;
      const query = queryOf({ arch: fieldOf(paragraph, apkFields.arch), distro: release });
      const purl = `pkg:apk/${id || "alpine"}/${encode(name)}@${encode(version)}${query}`;
      const license = asExpression(fieldOf(paragraph, apkFields.license));
      yield { type: "apk", name, version, purl, license, source: `/${file}` };
    }
}

const foldersMax = 1_000_000;
const waitingMax = 200_000;
const depthMax = 64;

/** What lies in `node_modules` and in Python's `*.dist-info`, wherever those are. */
function* installed(records: Records): Generator<FoundPackage> {
  const waiting: { path: string; depth: number }[] = [{ path: "", depth: 0 }];
  let looked = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (looked++ >= foldersMax) {
      records.met(`there are more than ${foldersMax} folders`);
      return;
    }
    const { path, depth } = next;
    const found = /(^|\/)node_modules\/(@[^/]+\/)?[^/@][^/]*$/.test(path)
      ? npm(records, `${path}/package.json`)
      : /\.dist-info$/.test(path)
        ? python(records, `${path}/METADATA`)
        : undefined;
    if (found !== undefined) yield found;
    for (const name of foldersIn(records.root, path)) {
      if (path === "" && ["proc", "sys", "dev"].includes(name)) continue;
      if (depth >= depthMax) records.met(`folders are nested over ${depthMax} deep`);
      else if (waiting.length >= waitingMax) records.met(`a folder has more than ${waitingMax} folders`);
      else waiting.push({ path: path === "" ? name : `${path}/${name}`, depth: depth + 1 });
    }
  }
}

function npm(records: Records, file: string): FoundPackage | undefined {
  const value = jsonOf(records.text(file, metadataMax));
  const { name, version, license } = value ?? {};
  if (!isText(name) || !isText(version)) return undefined;
  const path = name.split("/").map(encode).join("/");
  const purl = `pkg:npm/${path}@${encode(version)}`;
  const told = isText(license) ? asExpression(license) : "";
  return { type: "npm", name, version, purl, license: told, source: `/${file}` };
}

const pythonFields = {
  name: /^Name: ?(.*)$/m,
  version: /^Version: ?(.*)$/m,
  license: /^License-Expression: ?(.*)$/m,
};

function python(records: Records, file: string): FoundPackage | undefined {
  const [head = ""] = paragraphs(records.text(file, descriptionMax));
  const name = fieldOf(head, pythonFields.name);
  const version = fieldOf(head, pythonFields.version);
  if (name === "" || version === "") return undefined;
  const purl = `pkg:pypi/${encode(name.toLowerCase().replaceAll("_", "-"))}@${encode(version)}`;
  const license = asExpression(fieldOf(head, pythonFields.license));
  return { type: "pypi", name, version, purl, license, source: `/${file}` };
}

const isText = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= textMax;

function jsonOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // not a package's description, whatever it is called
  }
}

const encode = (text: string): string => encodeURIComponent(text.toWellFormed()).replaceAll("%3A", ":");

function queryOf(values: Record<string, string | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
  return given.length === 0
    ? ""
    : `?${given.map(([name, value]) => `${name}=${encode(value ?? "")}`).join("&")}`;
}

/** SPDX tools refuse what is no expression: names of licenses joined by AND, OR and WITH. */
function asExpression(text: string): string {
  const words = text.split(/[\s()]+/).filter((word) => word !== "");
  const good = words.every((word, at) => (at % 2 === 0 ? /^[A-Za-z0-9.+-]+$/ : /^(AND|OR|WITH)$/).test(word));
  return good && words.length % 2 === 1 ? text : "";
}

const namesIn = (root: string, path: string): string[] => listed(root, path).map(({ name }) => name);
const foldersIn = (root: string, path: string): string[] =>
  listed(root, path).flatMap(({ name, isFolder }) => (isFolder ? [name] : []));

/** Names in a folder, sorted; links are no folders. */
function listed(root: string, path: string): { name: string; isFolder: boolean }[] {
  const rootFd = openTree(root);
  try {
    const open = flags.readOnly | flags.directory | flags.noFollow;
    const fd = openWithinRaw(rootFd, path === "" ? "." : toBytes(path), open, resolve.inRoot);
    if (fd === ENOENT || fd === ENOTDIR || fd < 0) return [];
    try {
      return listNames(fd)
        .sort()
        .map((name) => ({
          name: Buffer.from(name, "latin1").toString("utf8"),
          isFolder: isFolder(fd, name),
        }));
    } finally {
      close(fd);
    }
  } finally {
    close(rootFd);
  }
}

function isFolder(dir: number, name: string): boolean {
  const fd = openWithinRaw(dir, name, flags.path | flags.noFollow, resolve.beneath);
  if (fd < 0) return false;
  try {
    return (statFd(fd).mode & fileType.mask) === fileType.directory;
  } finally {
    close(fd);
  }
}
