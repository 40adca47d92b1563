import { expect, test } from "bun:test";
import { composeFile, scalar } from "./compose.ts";
import { health, nanoseconds } from "./health.ts";
import type { Recipe } from "./option.ts";
import { runWords, shellLine, shellWord } from "./shell.ts";

test("words are quoted for any shell, and only where they need it", () => {
  expect(shellLine(["a=b", "/x:ro", "a@b.c"])).toBe("a=b /x:ro a@b.c");
  expect(shellWord("")).toBe("''");
  expect(shellWord("it's $HOME")).toBe("'it'\\''s $HOME'");
  expect(shellWord("~")).toBe("'~'");
  expect(shellWord("a\nb")).toBe("'a\nb'");
});

test("text that YAML or compose would read otherwise is quoted", () => {
  expect(scalar("plain/text:1.2")).toBe("plain/text:1.2");
  for (const text of ["no", "1.5", "a: b", "a #b", "- x", "*x", "", "8080:80", "null", "x:", "~"])
    expect(Bun.YAML.parse(`k: ${scalar(text)}`)).toEqual({ k: text });
  expect(Bun.YAML.parse(`k: ${scalar("$A\n\u0007")}`)).toEqual({ k: "$$A\n\u0007" });
});

const recipe = (more: Partial<Recipe>): Recipe => ({
  name: "web",
  image: "img",
  options: [],
  command: undefined,
  entrypoint: undefined,
  notes: [],
  ...more,
});

test("an entrypoint of several words is spread over option and command", () => {
  expect(runWords(recipe({ entrypoint: ["sh", "-c"], command: ["x"] }), "p")).toEqual([
    "p",
    "run",
    "--name",
    "web",
    "--entrypoint",
    "sh",
    "img",
    "-c",
    "x",
  ]);
  expect(runWords(recipe({ entrypoint: [], command: ["x"] }), "p")).toEqual([
    "p",
    "run",
    "--name",
    "web",
    "--entrypoint=",
    "img",
    "x",
  ]);
});

test("in a compose file lists and maps of one key are joined, and what is named is declared", () => {
  const options = [
    { key: "volumes", composed: ["vol:/a"] },
    { key: "volumes", composed: ["/etc:/b"] },
    { key: "healthcheck.retries", composed: 2 },
    { key: "healthcheck.interval", composed: "3s" },
    { key: "networks", composed: { n: {} } },
    { flag: "--rm" },
  ];
  expect(Bun.YAML.parse(composeFile(recipe({ options })))).toEqual({
    services: {
      web: {
        container_name: "web",
        image: "img",
        volumes: ["vol:/a", "/etc:/b"],
        healthcheck: { retries: 2, interval: "3s" },
        networks: { n: {} },
      },
    },
    volumes: { vol: { external: true } },
    networks: { n: { external: true } },
  });
});

test("of a health check only what is not the image's is told", () => {
  const image = { Test: ["CMD", "true"], Interval: 9_000_000_000 };
  expect(health({ ...image }, image, undefined)).toEqual([]);
  expect(health({ ...image, Retries: 2 }, image, undefined).map(({ flag }) => flag)).toEqual([
    "--health-retries",
  ]);
  expect(health({ Test: ["NONE"] }, image, undefined)[0]?.flag).toBe("--no-healthcheck");
  expect(health({ Test: ["CMD", "a b", "c"] }, undefined, undefined)[0]?.value).toBe("'a b' c");
  expect([nanoseconds(90_000_000_000), nanoseconds(1_500_000_000), nanoseconds(1)]).toEqual([
    "90s",
    "1500ms",
    "1ns",
  ]);
});
