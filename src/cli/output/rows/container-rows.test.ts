import { expect, test } from "bun:test";
import type { ContainerSummary } from "../../../types/api.ts";
import { formatList } from "../formatter.ts";
import { containerRows, containerTable } from "./container-rows.ts";

const id = `sha256:${"0123456789ab".padEnd(64, "c")}`;

const summary = (more: Partial<ContainerSummary>): ContainerSummary => ({
  Id: "f".repeat(64),
  Names: ["/one"],
  Image: "busybox",
  ImageID: id,
  Command: "sleep 1",
  Created: Math.trunc(Date.now() / 1000) - 7200,
  Ports: [],
  Labels: {},
  State: "running",
  Status: "Up 2 hours",
  HostConfig: { NetworkMode: "bridge" },
  NetworkSettings: { Networks: {} },
  Mounts: [],
  ...more,
});

const cells = (more: Partial<ContainerSummary>, noTrunc = false): string[] =>
  formatList(containerRows(noTrunc), [summary(more)], {
    format: containerTable(false).replaceAll("\t", "|"),
    table: "",
  })
    .trimEnd()
    .split("|");

test("a container is a row of short texts", () => {
  expect(cells({})).toEqual(["ffffffffffff", "busybox", '"sleep 1"', "2 hours ago", "Up 2 hours", "", "one"]);
  expect(cells({ Command: "sh -c 'sleep 1000000'" })[2]).toBe('"sh -c \'sleep 100000…"');
  expect(cells({ Command: "sh -c 'sleep 1000000'" }, true)[2]).toBe("\"sh -c 'sleep 1000000'\"");
});

test("an image is told by its name, or shortly by its id", () => {
  const image = (text: string, noTrunc = false) => cells({ Image: text }, noTrunc)[1];
  const digest = `@sha256:${"d".repeat(64)}`;
  expect(image("")).toBe("<no image>");
  expect(image(id)).toBe("0123456789ab");
  expect(image("0123456789abcccccc")).toBe("0123456789ab");
  expect(image(id, true)).toBe(id);
  expect(image(`a/b:1${digest}`)).toBe("a/b:1");
  expect(image(`a/b${digest}`)).toBe("a/b");
  expect(image(`sha256:${"e".repeat(64)}`)).toBe(`sha256:${"e".repeat(64)}`);
});

test("names that links give are told only in full", () => {
  expect(cells({ Names: ["/one", "/other/alias"] })[6]).toBe("one");
  expect(cells({ Names: ["/one", "/other/alias"] }, true)[6]).toBe("one,other/alias");
});

test("ages of many containers are each their own", () => {
  const now = Math.trunc(Date.now() / 1000);
  const list = [3 * 86_400, 3 * 86_400, 7200].map((age) => summary({ Created: now - age }));
  expect(formatList(containerRows(false), list, { format: "{{.RunningFor}}", table: "" })).toBe(
    "3 days ago\n3 days ago\n2 hours ago\n",
  );
});
