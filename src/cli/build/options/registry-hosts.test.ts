import { expect, test } from "bun:test";
import { registryHosts } from "./registry-hosts.ts";

const none = { buildArg: [], tag: [], cacheFrom: [], cacheTo: [], output: [], buildContext: [] };

test("helpers are asked about the registries that a build names, and the hub", () => {
  const dockerfile = [
    "ARG WHERE=quay.io",
    "FROM --platform=linux/amd64 ghcr.io/a/b:1 AS x",
    "FROM busybox",
    "COPY --from=localhost:5000/c sub.dir/d /",
    "RUN curl https://example.org/e # other.example/f",
  ].join("\n");
  expect(registryHosts(dockerfile, none, {})).toEqual(["docker.io", "quay.io", "ghcr.io", "localhost:5000"]);
});

test("options name registries too, and there is a bound", () => {
  const given = {
    ...none,
    tag: ["r.example/x:1", "plain:1.2/x"],
    buildContext: ["b=docker-image://c.example/y"],
  };
  const output = ["type=image,name=o.example/z,push=true"];
  expect(registryHosts("", { ...given, output }, {})).toEqual([
    "docker.io",
    "r.example",
    "o.example",
    "c.example",
  ]);
  const many = Array.from({ length: 100 }, (_, index) => `r${index}.example/x`);
  expect(registryHosts("", { ...none, tag: many }, {})).toHaveLength(16);
});

test("where the Dockerfile is not at hand, helpers are asked about all whose logins they keep", () => {
  const config = {
    auths: {
      "https://index.docker.io/v1/": {},
      "https://kept.example/v2/": {},
      "plain.example": { auth: "bWU6c2VjcmV0" },
      "token.example": { identitytoken: "t" },
    },
    credHelpers: { "own.example": "ecr-login" },
  };
  const given = { ...none, tag: ["r.example/x"] };
  expect(registryHosts(undefined, given, config)).toEqual([
    "docker.io",
    "r.example",
    "own.example",
    "kept.example",
  ]);
  expect(registryHosts("FROM busybox", given, config)).toEqual(["docker.io", "r.example"]);
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`r${index}.example`, "h"]));
  expect(registryHosts(undefined, none, { credHelpers: many })).toHaveLength(33);
});
