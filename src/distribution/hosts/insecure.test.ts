import { expect, test } from "bun:test";
import { isInsecure } from "./insecure.ts";

test("loopback is insecure, others when they are named by host, by host and port, or by their network", () => {
  expect(isInsecure("127.0.0.1:5000", [])).toBe(true);
  expect(isInsecure("localhost:5000", [])).toBe(true);
  expect(isInsecure("[::1]:5000", [])).toBe(true);
  expect(isInsecure("r.example:5000", [])).toBe(false);
  expect(isInsecure("r.example:5000", ["r.example:5000"])).toBe(true);
  expect(isInsecure("r.example:5001", ["r.example:5000"])).toBe(false);
  expect(isInsecure("r.example:5001", ["r.example"])).toBe(true);
  expect(isInsecure("10.2.3.4", ["10.0.0.0/8"])).toBe(true);
  expect(isInsecure("10.2.3.4", ["10.0.0.0/64", "junk/8"])).toBe(false);
});
