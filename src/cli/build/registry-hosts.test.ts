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
  expect(registryHosts(dockerfile, none)).toEqual(["docker.io", "quay.io", "ghcr.io", "localhost:5000"]);
});

test("options name registries too, and there is a bound", () => {
  const given = {
    ...none,
    tag: ["r.example/x:1", "plain:1.2/x"],
    buildContext: ["b=docker-image://c.example/y"],
  };
  const output = ["type=image,name=o.example/z,push=true"];
  expect(registryHosts("", { ...given, output })).toEqual([
    "docker.io",
    "r.example",
    "o.example",
    "c.example",
  ]);
  const many = Array.from({ length: 100 }, (_, index) => `r${index}.example/x`);
  expect(registryHosts("", { ...none, tag: many })).toHaveLength(16);
});
