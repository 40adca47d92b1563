import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CgroupTree } from "../../system/cgroup/cgroup.ts";
import { writeLimits } from "./update.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "limits-"));
  mkdirSync(join(root, "a"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (file: string, value: string): void => writeFileSync(join(root, "a", file), value);
const get = (file: string): string => readFileSync(join(root, "a", file), "utf8");

/** A kernel that refuses a limit of memory above the one of memory with swap. */
class StrictTree extends CgroupTree {
  readonly order: string[] = [];
  override async write(controller: string, group: string, file: string, value: string): Promise<void> {
    this.order.push(file);
    if (file === "limit" && Number(value) > Number(get("swap")))
      throw Object.assign(new Error("refused"), { code: "EINVAL" });
    await super.write(controller, group, file, value);
  }
}

const write = (file: string, value: string) => ({ controller: "memory", file, value });

test("limits that hold each other are raised and lowered in the order the kernel takes", async () => {
  put("limit", "10");
  put("swap", "20");
  const tree = new StrictTree(root, "v2");
  await writeLimits(tree, "a", [write("limit", "50"), write("swap", "90")]);
  expect([get("limit"), get("swap")]).toEqual(["50", "90"]);
  expect(tree.order).toEqual(["limit", "swap", "limit"]);
});

test("what was written is written back when a later limit fails", async () => {
  put("low", "1");
  put("limit", "10");
  put("swap", "20");
  const failing = writeLimits(new StrictTree(root, "v2"), "a", [write("low", "5"), write("limit", "50")]);
  await expect(failing).rejects.toThrow("cannot set limit to 50: invalid argument");
  expect([get("low").trim(), get("limit")]).toEqual(["1", "10"]);
});

test("a limit this kernel lacks is refused by name, or set under its other name", async () => {
  const tree = new CgroupTree(root, "v2");
  await expect(writeLimits(tree, "a", [write("pids.max", "3")])).rejects.toThrow(
    "cannot set pids.max to 3: the kernel has no such limit",
  );
  put("io.weight", "");
  const instead = { file: "io.weight", value: "default 5" };
  await writeLimits(tree, "a", [{ ...write("io.bfq.weight", "5"), instead }]);
  expect(get("io.weight")).toBe("default 5");
});
