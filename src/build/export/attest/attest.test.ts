import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findPackages } from "../../copy/contents/packages.ts";
import { annotationsFor } from "../annotations.ts";
import { askedAttestations } from "./asked.ts";
import { imagePurl } from "./statements.ts";

const root = mkdtempSync(join(tmpdir(), "berth-packages-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};

test("attestations are what clients ask for by name, and nothing else", () => {
  const asked = (entries: Record<string, string>) => askedAttestations(new Map(Object.entries(entries)));
  expect(asked({ provenance: "mode=min,inline-only=true" })).toEqual({});
  expect(asked({ provenance: "disabled=true", sbom: "disabled=true" })).toEqual({});
  expect(asked({ provenance: "mode=min,version=v1,builder-id=me" }).provenance).toEqual({
    mode: "min",
    version: "v1",
    builderId: "me",
    reproducible: false,
  });
  expect(asked({ provenance: "", sbom: "" })).toMatchObject({ provenance: { mode: "max" }, sbom: {} });
  expect(() => asked({ other: "" })).toThrow('unknown attestation type "other"');
  expect(() => asked({ provenance: "mode=most" })).toThrow('invalid mode "most"');
  expect(() => asked({ sbom: "generator=x/y" })).toThrow("x/y is not run by berth");
});

test("images are named by package URLs", () => {
  expect(imagePurl("busybox", "linux/amd64")).toBe("pkg:docker/busybox@latest?platform=linux%2Famd64");
  expect(imagePurl("localhost:5000/a/b:1", "linux/arm/v7")).toBe(
    "pkg:docker/localhost:5000/a/b@1?platform=linux%2Farm%2Fv7",
  );
});

test("annotations go where their keys say", () => {
  const all = new Map([
    ["a", "1"],
    ["index:b", "2"],
    ["manifest[linux/arm64]:c", "3"],
    ["manifest-descriptor:d", "4"],
    ["org.x:y", "5"],
  ]);
  expect(annotationsFor(all, "manifest", "linux/amd64")).toEqual({ a: "1", "org.x:y": "5" });
  expect(annotationsFor(all, "manifest", "linux/arm64")).toEqual({ a: "1", c: "3", "org.x:y": "5" });
  expect(annotationsFor(all, "index", "")).toEqual({ b: "2" });
  expect(annotationsFor(all, "index-descriptor", "")).toBeUndefined();
});

test("packages are read off the records of dpkg, apk, npm and pip, whatever else lies there", () => {
  put("etc/os-release", 'ID=debian\nVERSION_ID="12"\n');
  put(
    "var/lib/dpkg/status",
    "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9+deb12u1\nDescription: x\n more: y\n\nPackage: old\nStatus: deinstall ok config-files\nVersion: 1\n",
  );
  put("var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12.4\nArchitecture: all\n");
  put("lib/apk/db/installed", "P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\n\nP:nameless\n");
  put(
    "app/node_modules/@a/b/package.json",
    '{"name":"@a/b","version":"1.0.0","license":"MIT OR Apache-2.0"}',
  );
  put("app/node_modules/c/package.json", '{"name":"c","version":"2.0.0","license":"see LICENSE"}');
  put("app/node_modules/broken/package.json", "{");
  put("app/package.json", '{"name":"itself","version":"9.9.9"}');
  put(
    "usr/lib/python3/flask-3.0.dist-info/METADATA",
    "Metadata-Version: 2.1\nName: Flask_Thing\nVersion: 3.0\n\nName: no\n",
  );
  symlinkSync("/etc", join(root, "loop"));
  symlinkSync(".", join(root, "app/self"));
  expect(findPackages(root).packages.map(({ purl, license }) => [purl, license])).toEqual([
    ["pkg:apk/debian/musl@1.2.5-r0?arch=x86_64&distro=debian-12", "MIT"],
    ["pkg:deb/debian/base-files@12.4?arch=all&distro=debian-12", ""],
    ["pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?arch=amd64&distro=debian-12", ""],
    ["pkg:npm/%40a/b@1.0.0", "MIT OR Apache-2.0"],
    ["pkg:npm/c@2.0.0", ""],
    ["pkg:pypi/flask-thing@3.0", ""],
  ]);
});

test("records without end cost no more than their limit, and a name that is no text stops nothing", () => {
  const image = mkdtempSync(join(tmpdir(), "berth-packages-"));
  try {
    const folder = join(image, "var/lib/dpkg");
    mkdirSync(folder, { recursive: true });
    const paragraphs = Array.from({ length: 120_000 }, (_, at) => `Package: p${at}\nVersion: 1\n`);
    writeFileSync(join(folder, "status"), `${"x\n".repeat(1000)}\n${paragraphs.join("\n")}`);
    const many = findPackages(image);
    expect(many.packages).toHaveLength(100_000);
    expect(many.limits).toEqual(["there are more than 100000 packages"]);
    writeFileSync(
      join(folder, "status"),
      `Package: a\nVersion: 1\n\nPackage: b\nVersion: ${"1".repeat(32 << 20)}`,
    );
    mkdirSync(join(image, "node_modules/c"), { recursive: true });
    writeFileSync(join(image, "node_modules/c/package.json"), '{"name":"c\\ud800","version":"1"}');
    const long = findPackages(image);
    expect(long.limits).toEqual(["/var/lib/dpkg/status takes more than 32 MiB"]);
    expect(long.packages.map(({ purl }) => purl)).toEqual(["pkg:deb/debian/a@1", "pkg:npm/c%EF%BF%BD@1"]);
  } finally {
    rmSync(image, { recursive: true, force: true });
  }
});
