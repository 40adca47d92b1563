import { expect, test } from "bun:test";
import { Progress } from "./progress.ts";
import { statusMessage } from "./status-message.ts";

const warning = {
  rule: "MaintainerDeprecated",
  short: "deprecated",
  detail: [],
  url: "",
  lines: [{ start: 2, end: 2 }],
  dockerfile: "Dockerfile",
};

test("a warning belongs to the step that read the Dockerfile: clients show it there", () => {
  const progress = new Progress();
  progress.add({ kind: "vertex", vertex: { digest: "read", inputs: [], name: "load", cached: false } });
  progress.add({ kind: "vertex", vertex: { digest: "other", inputs: [], name: "FROM", cached: false } });
  const about = { dockerfile: "FROM a\n", vertex: progress.reader };
  const { warnings } = statusMessage([{ kind: "warning", warning }], about);
  expect(warnings).toMatchObject([{ vertex: "read", ranges: [{ start: { line: 2 } }] }]);
});
