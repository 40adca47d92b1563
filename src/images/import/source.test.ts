import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openImportSource } from "./source.ts";

let server: ReturnType<typeof Bun.serve>;
let base = "";

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/file") return new Response("bytes");
      if (pathname === "/away") return Response.redirect("/file");
      if (pathname === "/round") return Response.redirect("/round");
      if (pathname === "/other")
        return new Response(null, { status: 302, headers: { location: "file:///etc/passwd" } });
      if (pathname === "/silent") return new Promise<Response>(() => undefined);
      if (pathname === "/stalls")
        return new Response(
          new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("some")) }),
        );
      return new Response("x".repeat(5000), { status: 404, statusText: "Not Found" });
    },
  });
  base = `127.0.0.1:${server.port}`;
});
afterAll(() => server.stop(true));

const read = async (from: string, options = {}): Promise<string> =>
  Buffer.concat(await Array.fromAsync((await openImportSource(from, options)).bytes)).toString();

describe("a URL to import from", () => {
  test("is read, with a scheme or without, through redirects", async () => {
    expect(await read(`http://${base}/file`)).toBe("bytes");
    expect(await read(`${base}/file`)).toBe("bytes");
    expect(await read(`${base}/away`)).toBe("bytes");
  });

  const refused: [path: string, sentence: string][] = [
    ["/nosuch", "with status 404 Not Found: xxx"],
    ["/round", "stopped after 10 redirects"],
    ["/other", 'Get "file:///etc/passwd": unsupported protocol scheme "file"'],
  ];
  for (const [path, sentence] of refused)
    test(`${path} is refused`, async () => {
      await expect(read(base + path)).rejects.toThrow(sentence);
    });

  test("must be a web address", async () => {
    await expect(read("")).rejects.toThrow('Get "http:": http: no Host in request URL');
    await expect(read("file:///etc/passwd")).rejects.toThrow("unsupported protocol scheme");
  });

  test("that nobody serves is told as Go tells it", async () => {
    await expect(read("http://127.0.0.1:1/x")).rejects.toThrow(
      'Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused',
    );
    await expect(read("http://")).rejects.toThrow("http: no Host in request URL");
  });

  test("that falls silent is given up", async () => {
    for (const path of ["/silent", "/stalls"])
      await expect(read(base + path, { idleTimeoutMs: 100 })).rejects.toThrow("the server sent nothing");
  });

  test("is given up with its caller", async () => {
    const abort = new AbortController();
    const reading = read(`${base}/stalls`, { signal: abort.signal });
    setTimeout(() => abort.abort(new Error("gone")), 50);
    await expect(reading).rejects.toThrow("gone");
  });
});
