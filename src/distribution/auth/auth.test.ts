import { expect, test } from "bun:test";
import { parseChallenges } from "./challenge.ts";
import { decodeCredentials } from "./credentials.ts";

test("several challenges stand in one header, with quotes, commas and escapes in their parameters", () => {
  expect(
    parseChallenges(
      'Bearer realm="https://a/token",service="r, \\"x\\"",scope="repository:a:pull,push", Basic realm=b',
    ),
  ).toEqual([
    {
      scheme: "bearer",
      parameters: { realm: "https://a/token", service: 'r, "x"', scope: "repository:a:pull,push" },
    },
    { scheme: "basic", parameters: { realm: "b" } },
  ]);
  expect(parseChallenges("")).toEqual([]);
  expect(parseChallenges(`Bearer realm="${"x".repeat(1_000_000)}`).length).toBeLessThan(5);
});

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

test("credentials are a user with a password, `auth` for both, or a token", () => {
  expect(decodeCredentials(encoded({ username: "me", password: "p" }))).toEqual({
    username: "me",
    password: "p",
  });
  expect(decodeCredentials(encoded({ auth: Buffer.from("me:p:q").toString("base64") }))).toEqual({
    username: "me",
    password: "p:q",
  });
  expect(decodeCredentials(encoded({ identitytoken: "t" }))).toEqual({ identityToken: "t" });
  expect(decodeCredentials(encoded({ serveraddress: "x" }))).toBeUndefined();
  expect(decodeCredentials(undefined)).toBeUndefined();
  expect(() => decodeCredentials("zzz")).toThrow("invalid X-Registry-Auth header");
  expect(() => decodeCredentials(encoded([]).repeat(30_000))).toThrow("too long");
});
