import { expect, test } from "bun:test";
import { assert, EngineError, isKind, messageOf, wrap } from "./errors.ts";

test("wrapping keeps the kind and the cause and puts the doing before the sentence", () => {
  const cause = new EngineError("notFound", "no such thing");
  const wrapped = wrap("open it", cause);
  expect({ kind: wrapped.kind, message: wrapped.message }).toEqual({
    kind: "notFound",
    message: "open it: no such thing",
  });
  expect(wrapped.cause).toBe(cause);
});

test("an unknown error becomes internal", () => {
  expect(isKind(wrap("read", new Error("EIO")), "internal")).toBe(true);
  expect(wrap("read", "text").message).toBe("read: text");
});

test("a broken invariant says which", () => {
  expect(() => assert(false, "one writer")).toThrow("broken invariant: one writer");
});

test("an error of the system is told as its users know it", () => {
  expect(messageOf(new Error("ENOSPC: no space left on device, mkdir '/a/b'"))).toBe(
    "mkdir /a/b: no space left on device",
  );
  expect(messageOf(new Error("ENOENT: no such file or directory, rename '/a' -> '/b'"))).toBe(
    "rename /a /b: no such file or directory",
  );
  expect(messageOf(new Error("ENOSPC: no space left on device, write"))).toBe(
    "write: no space left on device",
  );
  expect(messageOf(new Error("EASY: it is"))).toBe("EASY: it is");
});
