import { isIP } from "node:net";
import type { Proxies } from "../contract.ts";
import { inNetwork } from "../hosts/network.ts";

/** The proxy for a URL, "" for none: Go's rules, which Docker's users write their NO_PROXY for. */
export function proxyFor(url: URL, proxies: Proxies): string {
  const proxy = url.protocol === "https:" ? proxies.https : proxies.http;
  if (proxy === "" || isLoopback(url.hostname) || isExcepted(url, proxies.exceptions)) return "";
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, "");

function isLoopback(hostname: string): boolean {
  const host = bare(hostname);
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** `*`, addresses, networks, names (with their subdomains; a leading dot means those only), each with a port perhaps. */
function isExcepted(url: URL, exceptions: string): boolean {
  const host = bare(url.hostname).toLowerCase().replace(/\.$/, "");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return exceptions
    .split(",")
    .map((each) => each.trim().toLowerCase())
    .some((exception) => exception !== "" && matches(exception, host, port));
}

function matches(exception: string, host: string, port: string): boolean {
  if (exception === "*") return true;
  if (exception.includes("/")) return inNetwork(host, exception);
  const [, name = exception, wantedPort] =
    /^(.*?)(?::(\d+))?$/.exec(isIP(exception) === 6 ? `[${exception}]` : exception) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const wanted = bare(name).replace(/^\*(?=\.)/, "");
  if (isIP(wanted)) return wanted === host;
  if (wanted.startsWith(".")) return host.endsWith(wanted);
  return host === wanted || host.endsWith(`.${wanted}`);
}
