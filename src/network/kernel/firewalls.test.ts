import { expect, test } from "bun:test";
import { closePassage, foreignChains, openPassage } from "./firewalls.ts";

const ruleset = `table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
	chain DOCKER-USER {
	}
}
table ip6 filter {
	chain FORWARD {
		type filter hook forward priority filter; policy accept;
	}
	chain ufw-before-forward {
	}
}
table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
	}
}
table inet berth-1 {
	chain forward {
		type filter hook forward priority filter - 5; policy drop;
	}
}
`;
/** What nft would be told; it has `ruleset`, and in each chain `rules`. */
function fake(text = ruleset, rules = "") {
  const told: string[] = [];
  return {
    told,
    list: (command: string) => (command === "list chains" ? text : rules),
    run: (command: string) => void told.push(command),
  };
}

test("chains that drop what is forwarded are found, with whose they are; the engine's own and those that accept are not", () => {
  const found = foreignChains(fake(), "berth-1").filter(({ drops }) => drops);
  expect(found.map(({ family, table, chain, whose }) => `${family} ${table} ${chain}${whose}`)).toEqual([
    "ip filter FORWARD (Docker)",
    "inet firewalld filter_FORWARD (firewalld)",
  ]);
  const ufw = foreignChains(fake(ruleset.replace("policy accept", "policy drop")), "berth-1");
  expect(ufw.map(({ whose }) => whose)).toContain(" (ufw)");
});

test("a rule of ours at the head of a chain is seen, and only ours is taken away again", () => {
  const place = { family: "inet", table: "firewalld", chain: "filter_FORWARD" };
  const nft = fake(
    ruleset,
    'ip saddr 10.0.0.1 accept comment "other" # handle 7\n meta mark & 0x8 == 0x8 accept comment "berth-1" # handle 12\n',
  );
  expect(foreignChains(nft, "berth-1").every(({ open }) => open)).toBe(true);
  openPassage(nft, place, "berth-1");
  closePassage(nft, place, "berth-1");
  expect(nft.told).toEqual([
    expect.stringMatching(/^insert rule inet firewalld filter_FORWARD meta mark & .* comment "berth-1"$/),
    "delete rule inet firewalld filter_FORWARD handle 12",
  ]);
});
