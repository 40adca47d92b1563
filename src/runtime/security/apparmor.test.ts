import { expect, test } from "bun:test";
import { silentLogger } from "../../lib/log.ts";
import { type ApparmorHost, hasApparmor, loadDefaultProfile, profileText } from "./apparmor.ts";

function setUp(host: Partial<ApparmorHost> = {}) {
  const loaded: string[] = [];
  const warned: string[] = [];
  const name = (): Promise<string | undefined> =>
    loadDefaultProfile(
      {
        enabled: () => true,
        profiles: async () => "/usr/sbin/cups (enforce)\ndocker-default-2 (enforce)\n",
        load: async (text) => void loaded.push(text),
        ...host,
      },
      { ...silentLogger, warn: (text) => void warned.push(text) },
    );
  return { name, loaded, warned };
}

test("the profile is loaded where it is not", async () => {
  const { name, loaded } = setUp();
  expect(await name()).toBe("docker-default");
  expect(loaded.length).toBe(1);
  expect(loaded[0]).toContain("profile docker-default flags=");
});

test("one that is loaded already, by us or by Docker, is left as it is", async () => {
  const { name, loaded } = setUp({ profiles: async () => "docker-default (enforce)\n" });
  expect(await name()).toBe("docker-default");
  expect(loaded).toEqual([]);
});

test("without AppArmor, or without its parser, there is no profile, and the latter is told", async () => {
  expect(await setUp({ enabled: () => false }).name()).toBeUndefined();
  const { name, warned } = setUp({
    load: () => Promise.reject(new Error("run apparmor_parser: not found")),
  });
  expect(await name()).toBeUndefined();
  expect(warned.length).toBe(1);
});

test("a kernel without the module has no AppArmor", () => {
  expect(hasApparmor("/no/such/file")).toBeFalse();
});

test("the profile keeps containers from mounting and from the kernel's switches, and lets itself be signalled", () => {
  const text = profileText("x");
  for (const line of ["deny mount,", "deny @{PROC}/sysrq-trigger rwklx,", "signal (send,receive) peer=x,"])
    expect(text).toContain(line);
  expect(text.match(/\{/g)?.length).toBe(text.match(/\}/g)?.length);
});
