import { expect, test } from "bun:test";
import type { HostConfig } from "../../types/api.ts";
import { toldApparmor } from "./security.ts";

const host = (SecurityOpt: string[] | null, Privileged = false): HostConfig =>
  ({ SecurityOpt, Privileged }) as HostConfig;

test("inspect tells the AppArmor profile that was asked for, or the default, or that there is none", () => {
  expect(toldApparmor(host(["apparmor=mine"]), "docker-default")).toBe("mine");
  expect(toldApparmor(host(["apparmor:mine"]), undefined)).toBe("mine");
  expect(toldApparmor(host(null), "docker-default")).toBe("docker-default");
  expect(toldApparmor(host(null, true), "docker-default")).toBe("unconfined");
  expect(toldApparmor(host([]), undefined)).toBe("");
});
