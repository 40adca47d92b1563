import { expect, test } from "bun:test";
import { foreignFirewalls } from "./firewalls.ts";

const docker = `table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
	chain DOCKER-USER {
	}
}
table inet berth-1 {
	chain forward {
		type filter hook forward priority filter - 5; policy accept;
	}
}
`;
const advice = (text: string) =>
  foreignFirewalls(() => text, ["berth0", "br-0123456789ab", "br-ffffffffffff"]).filter(
    ({ state, text: said }) => state === "advice" && !said.includes("iptables-legacy"),
  );

test("beside Docker, its chain for users is named, with one pattern for all bridges of networks", () => {
  const [found] = advice(docker);
  expect(found?.text).toContain("Docker's doing");
  expect(found?.remedy.split("\n")).toEqual([
    "iptables -I DOCKER-USER -i berth0 -j ACCEPT",
    "iptables -I DOCKER-USER -o berth0 -j ACCEPT",
    "iptables -I DOCKER-USER -i br-+ -j ACCEPT",
    "iptables -I DOCKER-USER -o br-+ -j ACCEPT",
  ]);
});

test("a chain that accepts, and the engine's own, are no matter", () => {
  expect(advice(docker.replace("policy drop", "policy accept"))).toEqual([]);
});

test("firewalld and ufw are known by their tables and chains", () => {
  const firewalld =
    "table inet firewalld {\n\tchain filter_FORWARD {\n\t\ttype filter hook forward priority 10; policy accept;\n\t}\n}\n";
  expect(advice(firewalld)[0]?.remedy).toContain("--add-interface=br-0123456789ab");
  const ufw = "table ip filter {\n\tchain ufw-before-forward {\n\t}\n}\n";
  expect(advice(ufw)[0]?.remedy).toContain("ufw route allow in on berth0");
});
