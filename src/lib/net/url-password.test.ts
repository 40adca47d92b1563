import { expect, test } from "bun:test";
import { withoutPassword } from "./url-password.ts";

test("what is told of a source has no password in it, whatever the password is made of", () => {
  expect(withoutPassword("https://user:pa@ss@host/a@b")).toBe("https://xxxxx@host/a@b");
  expect(withoutPassword("HTTPS://user@host/a")).toBe("HTTPS://xxxxx@host/a");
  expect(withoutPassword("https://host/a@b")).toBe("https://host/a@b");
});
