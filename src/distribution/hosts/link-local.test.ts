import { expect, test } from "bun:test";
import { leadsToLinkLocal } from "./link-local.ts";

const leads = (to: string, from = "https://r.example", configured: string[] = []): boolean =>
  leadsToLinkLocal(new URL(from), new URL(to), configured);

test("a registry leads to no link-local address, however that is written", () => {
  for (const host of [
    "169.254.169.254",
    "2852039166",
    "0xa9.0xfe.0xa9.0xfe",
    "[fe80::1]:80",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::169.254.169.254]",
    "[fd00:ec2::254]",
  ])
    expect([host, leads(`http://${host}/latest`)]).toEqual([host, true]);
  for (const host of [
    "169.253.1.1",
    "10.0.0.1",
    "[fd00::1]",
    "[64:ff9b::10.0.0.1]",
    "r2.example",
    "127.0.0.1:5000",
  ])
    expect([host, leads(`http://${host}/`)]).toEqual([host, false]);
});

test("but to itself, and to what the options name", () => {
  expect(leads("http://169.254.1.1:5000/token", "http://169.254.1.1:5000/v2/")).toBe(false);
  expect(leads("http://169.254.1.1:80/token", "http://169.254.1.1:5000/v2/")).toBe(true);
  expect(leads("http://169.254.1.1/token", "https://r.example", ["169.254.1.0/24"])).toBe(false);
  expect(leads("http://169.254.1.1/token", "https://r.example", ["169.254.1.1"])).toBe(false);
});
