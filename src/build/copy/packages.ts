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
} from "../../system/at.ts";
import { readBeneath } from "../../system/beneath.ts";
import { openTree } from "./match.ts";

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

const recordMax = 64 * 1024 * 1024;
const metadataMax = 1024 * 1024;
const packagesMax = 100_000;

/** The packages in a root file system, by what dpkg, apk, npm and pip have written down. For a worker thread. */
export function findPackages(root: string): FoundPackage[] {
  const distribution = distributionOf(root);
  const found = [...dpkg(root, distribution), ...apk(root, distribution), ...installed(root)];
  const distinct = new Map(found.slice(0, packagesMax).map((each) => [each.purl, each]));
  return [...distinct.values()].sort((one, other) => (one.purl < other.purl ? -1 : 1));
}

interface Distribution {
  id: string;
  /** "debian-12" */
  release: string;
}

function distributionOf(root: string): Distribution {
  const text =
    readBeneath(root, "etc/os-release", metadataMax) ??
    readBeneath(root, "usr/lib/os-release", metadataMax) ??
    "";
  const value = (name: string): string => new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  const id = value("ID");
  const version = value("VERSION_ID");
  return { id, release: version === "" ? id : `${id}-${version}` };
}

/** Paragraphs of `Name: value`, continued lines left out. */
function* paragraphs(text: string): Generator<Map<string, string>> {
  for (const paragraph of text.split(/\n{2,}/)) {
    const fields = new Map<string, string>();
    for (const line of paragraph.split("\n")) {
      const match = /^([A-Za-z-]+): ?(.*)$/.exec(line);
      if (match !== null) fields.set(match[1] ?? "", match[2] ?? "");
    }
    if (fields.size > 0) yield fields;
  }
}

function* dpkg(root: string, { id, release }: Distribution): Generator<FoundPackage> {
  const folder = "var/lib/dpkg/status.d";
  const files = ["var/lib/dpkg/status", ...namesIn(root, folder).map((name) => `${folder}/${name}`)];
  for (const file of files) {
    for (const fields of paragraphs(readBeneath(root, file, recordMax) ?? "")) {
      const name = fields.get("Package");
      const version = fields.get("Version");
      const status = fields.get("Status") ?? "install ok installed";
      if (name === undefined || version === undefined || !status.endsWith(" installed")) continue;
      const query = queryOf({ arch: fields.get("Architecture"), distro: release });
      const purl = `pkg:deb/${id || "debian"}/${encode(name)}@${encode(version)}${query}`;
      yield { type: "deb", name, version, purl, license: "", source: `/${file}` };
    }
  }
}

function* apk(root: string, { id, release }: Distribution): Generator<FoundPackage> {
  for (const file of ["lib/apk/db/installed", "usr/lib/apk/db/installed"])
    for (const paragraph of (readBeneath(root, file, recordMax) ?? "").split(/\n{2,}/)) {
      const field = (letter: string): string =>
        new RegExp(`^${letter}:(.*)$`, "m").exec(paragraph)?.[1] ?? "";
      const [name, version, arch, license] = [field("P"), field("V"), field("A"), field("L")];
      if (name === "" || version === "") continue;
      const query = queryOf({ arch, distro: release });
      const purl = `pkg:apk/${id || "alpine"}/${encode(name)}@${encode(version)}${query}`;
      yield { type: "apk", name, version, purl, license: asExpression(license), source: `/${file}` };
    }
}

const foldersMax = 1_000_000;
const depthMax = 64;

/** What lies in `node_modules` and in Python's `*.dist-info`, wherever those are. */
function* installed(root: string): Generator<FoundPackage> {
  const waiting: { path: string; depth: number }[] = [{ path: "", depth: 0 }];
  let looked = 0;
  for (let next = waiting.pop(); next !== undefined && looked++ < foldersMax; next = waiting.pop()) {
    const { path, depth } = next;
    const found = /(^|\/)node_modules\/(@[^/]+\/)?[^/@][^/]*$/.test(path)
      ? npm(root, `${path}/package.json`)
      : /\.dist-info$/.test(path)
        ? python(root, `${path}/METADATA`)
        : undefined;
    if (found !== undefined) yield found;
    if (depth < depthMax)
      for (const name of foldersIn(root, path))
        if (path !== "" || !["proc", "sys", "dev"].includes(name))
          waiting.push({ path: path === "" ? name : `${path}/${name}`, depth: depth + 1 });
  }
}

function npm(root: string, file: string): FoundPackage | undefined {
  const value = jsonOf(readBeneath(root, file, metadataMax));
  const { name, version, license } = value ?? {};
  if (typeof name !== "string" || typeof version !== "string" || name === "" || version === "")
    return undefined;
  const path = name.split("/").map(encode).join("/");
  const purl = `pkg:npm/${path}@${encode(version)}`;
  const told = typeof license === "string" ? asExpression(license) : "";
  return { type: "npm", name, version, purl, license: told, source: `/${file}` };
}

function python(root: string, file: string): FoundPackage | undefined {
  const [head = ""] = (readBeneath(root, file, metadataMax) ?? "").split("\n\n", 1);
  const [fields = new Map<string, string>()] = paragraphs(head);
  const name = fields.get("Name");
  const version = fields.get("Version");
  if (!name || !version) return undefined;
  const purl = `pkg:pypi/${encode(name.toLowerCase().replaceAll("_", "-"))}@${encode(version)}`;
  const license = asExpression(fields.get("License-Expression") ?? "");
  return { type: "pypi", name, version, purl, license, source: `/${file}` };
}

function jsonOf(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // not a package's description, whatever it is called
  }
}

const encode = (text: string): string => encodeURIComponent(text).replaceAll("%3A", ":");

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
