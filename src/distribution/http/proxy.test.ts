import { expect, test } from "bun:test";
import { proxyFor } from "./proxy.ts";

const proxies = (exceptions = "") => ({ http: "http://plain:3128", https: "secure:3128", exceptions });
const proxied = (url: string, exceptions?: string): boolean =>
  proxyFor(new URL(url), proxies(exceptions)) !== "";

test("the scheme chooses the proxy, and one without a scheme is an http proxy", () => {
  expect(proxyFor(new URL("http://r.example/"), proxies())).toBe("http://plain:3128");
  expect(proxyFor(new URL("https://r.example/"), proxies())).toBe("http://secure:3128");
  expect(proxyFor(new URL("https://r.example/"), { http: "x", https: "", exceptions: "" })).toBe("");
});

test("loopback never goes through a proxy", () => {
  for (const host of ["localhost:5000", "127.0.0.1:5000", "127.3.2.1", "[::1]:5000"])
    expect(proxied(`http://${host}/`)).toBe(false);
});

test("exceptions are names with their subdomains, suffixes, addresses, networks, ports and all", () => {
  expect(proxied("https://r.example/", "r.example")).toBe(false);
  expect(proxied("https://a.r.example/", "r.example")).toBe(false);
  expect(proxied("https://ar.example/", "r.example")).toBe(true);
  expect(proxied("https://r.example/", ".r.example")).toBe(true);
  expect(proxied("https://a.r.example/", "x, .R.example")).toBe(false);
  expect(proxied("https://10.1.2.3/", "10.0.0.0/8")).toBe(false);
  expect(proxied("https://11.1.2.3/", "10.0.0.0/8")).toBe(true);
  expect(proxied("https://10.1.2.3/", "10.1.2.3")).toBe(false);
  expect(proxied("https://[fd00::1]/", "fd00::/8")).toBe(false);
  expect(proxied("https://r.example:5000/", "r.example:5000")).toBe(false);
  expect(proxied("https://r.example:5001/", "r.example:5000")).toBe(true);
  expect(proxied("https://r.example/", "*")).toBe(false);
});
