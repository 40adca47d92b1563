import { expect, test } from "bun:test";
import { failureReason } from "./failure.ts";

const reasonOf = async (location: string): Promise<string> => {
  const headers = { location };
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response(null, { status: 302, headers }),
  });
  const url = new URL("/x", server.url);
  return await fetch(url).then(
    () => "none",
    (error: unknown) => failureReason(url, error),
  );
};

test("a redirect that leads nowhere is told in our words", async () => {
  expect(await reasonOf("/x")).toBe("stopped after too many redirects");
  expect(await reasonOf("ftp://x/y")).toBe("the redirect leads to another protocol than http and https");
});

test("what Bun says to its callers stays out of a failure without words of ours", () => {
  const url = new URL("http://x/");
  const advice = "For more information, pass `verbose: true` in the second argument to fetch()";
  expect(failureReason(url, new Error(`Odd: It failed. ${advice}`))).toBe("Odd: It failed");
  expect(failureReason(url, new Error(`Odd fetching "http://x/". ${advice}`))).toBe("Odd");
});
