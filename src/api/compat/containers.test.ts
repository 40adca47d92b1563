import { expect, test } from "bun:test";
import type { MountRequest } from "../../types/api.ts";
import { upgradeCreate } from "./containers.ts";

const mounts = (mount: MountRequest, minor: number) =>
  upgradeCreate({ Image: "i", HostConfig: { Mounts: [mount] } }, minor).HostConfig?.Mounts;

test("what came after an API version is passed over, or refused where the client would rely on it", () => {
  const healthy = upgradeCreate({ Healthcheck: { Test: ["CMD", "x"], StartInterval: 5 } }, 43);
  expect(healthy.Healthcheck?.StartInterval).toBe(0);
  expect(upgradeCreate({ Image: "i" }, 39).HostConfig?.IpcMode).toBe("shareable");
  expect(upgradeCreate({ HostConfig: { AutoRemove: true } }, 24).HostConfig?.AutoRemove).toBe(false);
  const bind: MountRequest = {
    Type: "bind",
    Source: "/a",
    Target: "/b",
    BindOptions: { NonRecursive: true },
  };
  expect(mounts(bind, 39)).toEqual([{ Type: "bind", Source: "/a", Target: "/b", BindOptions: {} }]);
  expect(mounts(bind, 43)).toEqual([bind]);
  expect(() => mounts({ Type: "image", Source: "i", Target: "/b" }, 47)).toThrow("needs API v1.48 or newer");
  expect(() => mounts({ Type: "volume", Target: "/b", VolumeOptions: { Subpath: "s" } }, 44)).toThrow(
    "VolumeOptions.Subpath needs API v1.45 or newer",
  );
});

test("before API 1.44 the container's MAC address is its one endpoint's, and the endpoint's own counts for nothing", () => {
  const endpoints = (body: object, minor: number) =>
    upgradeCreate(body, minor).NetworkingConfig?.EndpointsConfig;
  const own = { NetworkingConfig: { EndpointsConfig: { n: { MacAddress: "own", GwPriority: 5 } } } };
  expect(endpoints(own, 43)).toEqual({ n: { MacAddress: "", GwPriority: 0 } });
  expect(endpoints(own, 47)).toEqual({ n: { MacAddress: "own", GwPriority: 0 } });
  expect(endpoints({ ...own, MacAddress: "mac" }, 43)).toEqual({ n: { MacAddress: "mac", GwPriority: 0 } });
  expect(endpoints({ MacAddress: "mac" }, 43)).toEqual({ default: { MacAddress: "mac" } });
  expect(upgradeCreate({ MacAddress: "mac" }, 43).MacAddress).toBeUndefined();
  expect(() => upgradeCreate({ MacAddress: "mac", HostConfig: { NetworkMode: "host" } }, 43)).toThrow(
    "conflicting options: mac-address and the network mode",
  );
});
