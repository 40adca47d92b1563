import { expect, test } from "bun:test";
import type { PortBinding, PortMap } from "../../types/api.ts";
import { bindingsOf, eachPort, hasRuns, oneByOne, setApart, stretches } from "./port-runs.ts";

const run = (HostPort: string, HostIp = ""): PortBinding => ({ HostIp, HostPort, Each: true });
const one = (HostPort: string, HostIp = ""): PortBinding => ({ HostIp, HostPort });

test("a range of host ports that a client asks for is a choice, and no run", () => {
  expect(hasRuns({ "80/tcp": [one("8000-8010")] })).toBe(false);
  expect(hasRuns({ "80-90/tcp": [run("8000-8010")] })).toBe(true);
});

test("of several maps the later one counts, port by port, also within a run", () => {
  const exposed: PortMap = { "1-100/tcp": null, "90-95/udp": null };
  const published: PortMap = { "10-20/tcp": [run("1010-1020")], "15/tcp": [one("80")] };
  const found = [...stretches<PortBinding[] | null>(exposed, published)].map((stretch) => [
    `${stretch.first}-${stretch.last}/${stretch.protocol}`,
    stretch.value && bindingsOf(stretch.value, stretch),
  ]);
  expect(found).toEqual([
    ["1-9/tcp", null],
    ["10-14/tcp", [run("1010-1014")]],
    ["15-15/tcp", [one("80")]],
    ["16-20/tcp", [run("1016-1020")]],
    ["21-100/tcp", null],
    ["90-95/udp", null],
  ]);
});

test("ports are told one by one in the order of their texts, every protocol beside the other", () => {
  const ports = [...eachPort<unknown>({ "8-10/tcp": 1, "9/udp": 2 })];
  expect(ports.map(({ first, protocol }) => `${first}/${protocol}`)).toEqual([
    "10/tcp",
    "8/tcp",
    "9/tcp",
    "9/udp",
  ]);
  expect(Object.keys(oneByOne({ "8-10/tcp": { Each: true } }))).toEqual(["10/tcp", "8/tcp", "9/tcp"]);
});

test("a port of a run gets an entry of its own, at either end and in the middle; others are as they were", () => {
  const ports: PortMap = { "80-83/tcp": [run("8080-8083"), run("90-93", "::1")], "80/udp": [one("1")] };
  expect(setApart(ports, "80/udp")).toEqual(ports);
  expect(setApart(ports, "84/tcp")).toEqual(ports);
  const middle = setApart(ports, "81/tcp");
  expect(Object.keys(middle)).toEqual(["80/tcp", "81/tcp", "82-83/tcp", "80/udp"]);
  expect(middle["81/tcp"]).toEqual([one("8081"), one("91", "::1")]);
  expect(middle["82-83/tcp"]).toEqual([run("8082-8083"), run("92-93", "::1")]);
  expect(Object.keys(setApart(middle, "83/tcp"))).toEqual(["80/tcp", "81/tcp", "82/tcp", "83/tcp", "80/udp"]);
});
